"""What every role process does alike: loop, health, logging, supervision."""
