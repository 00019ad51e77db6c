"""Events, the event log and the durable state: everything between a click and a checkpoint.

Uses the counters of the library and nothing else of it; never imports torch. Roles, commands and
settings of processes may not enter.
"""
