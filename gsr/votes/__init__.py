"""Votes of the counters for the next click: channels, context, candidates.

Live graphs, fixed sets of clicks and baselines share its kernels and constants. What turns counts
into numbers about a click may enter; nothing that imports torch.
"""
