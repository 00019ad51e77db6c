"""How the joint model learns: samples, losses, optimisers, and who decides what is kept.

Both ways live here: on the stream, in cycles, and on a fixed set of clicks, in passes.
"""
