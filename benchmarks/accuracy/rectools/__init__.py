"""Runs in the environment of RecTools; see `benchmarks.accuracy.install`."""
