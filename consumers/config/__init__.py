"""Settings: every one with its default and its meaning, and where they are read from.

Only what describes, reads or documents a setting may enter; what a setting does is elsewhere.
"""
