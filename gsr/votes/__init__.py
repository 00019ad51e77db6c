"""What the counts say of the next click: channels, popularity, the graph of a fixed set, constants.

Live graphs, fixed sets of clicks and baselines share its kernels and constants. What turns counts
into numbers about a click may enter; nothing that imports torch.
"""
