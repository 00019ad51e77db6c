"""Settings of all roles: defaults, meanings, and the sources that they are read from.

Only what describes, reads or documents a setting may enter; what a setting does is elsewhere.
"""
