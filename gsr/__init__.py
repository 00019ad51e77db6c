"""The library: counting clicks, and a joint model that learns from the counts and the clicks.

No files, logs, clocks or settings of processes; imports nothing else of this project. Its rooms are
read in the order counters, votes, network, learning, ranking, quality, loop.
"""
