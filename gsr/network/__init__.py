"""The joint model of a fixed set of clicks: its encoders, item vectors, fusion, how it is stored.

What has weights that are learned, or feeds them, may enter; how they are learned may not.
"""
