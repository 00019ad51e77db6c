"""Work on event files without a running service: replay, bootstrap, evaluation.

Each has a room of its own; here is only what they share. No broker is needed.
"""
