"""The encoders of a fixed set of clicks: transformers, item vectors, fusion, how they are stored.

What has weights that are learned, or feeds them, may enter; how they are learned may not.
"""
