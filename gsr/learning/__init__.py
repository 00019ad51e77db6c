"""Learning of the joint model: samples, losses, optimisers, and the judge of new weights.

Both ways live here: on the stream, in cycles, and on a fixed set of clicks, in passes.
"""
