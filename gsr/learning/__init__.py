"""Learning from a fixed set of clicks, in passes: encoders first, then the ranker from cases.

What learns on the stream is not here.
"""
