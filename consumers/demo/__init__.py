"""The demonstration that `gsr run --demo` shows."""
