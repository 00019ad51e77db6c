"""Runs in the environment of implicit; see `benchmarks.accuracy.install`."""
