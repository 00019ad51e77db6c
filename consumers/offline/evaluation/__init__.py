"""`gsr evaluate` and `gsr compare`: accuracy on a fixed set of clicks.

Event files in, ranks and metrics out. What reads, splits, stops learning or writes results may
enter; how the model learns lives in the library.
"""
