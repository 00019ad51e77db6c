"""Published stream protocols: a log fed window by window, each tested before it is learned.

Only what parts a log into windows, or tests and learns them, may enter.
"""
