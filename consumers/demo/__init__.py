"""The demonstration `gsr run --demo`: all roles on one machine, fed by simulated shoppers.

Here live its children, the figures that it reads, and its screen. Nothing imports it but the
command line.
"""
