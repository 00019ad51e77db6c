"""The loop that tests, trains and judges on a stream of clicks, live or replayed.

What takes clicks in, ranks them, has them learned and measures the outcome may enter; files,
logs, clocks and settings of processes may not.
"""
