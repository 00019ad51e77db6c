"""Replay and bootstrap from event files."""
