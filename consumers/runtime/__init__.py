"""The process around a role or a command.

Here live the loop, health, supervision, partition ownership, signals, logging, memory and result
files. It is used by every role and knows none of them.
"""
