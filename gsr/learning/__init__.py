"""Learning of the joint model from a fixed set of clicks, in passes: samples, losses, optimisers.

Trust in live counters is learned here too, from recorded clicks; what learns on the stream is not.
"""
