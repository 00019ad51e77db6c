"""The trainer: feeds the library's loop from ingest's checkpoints, and publishes its outcome.

What follows checkpoints, paces cycles or sets the trainer's metrics may enter.
"""
