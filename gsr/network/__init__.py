"""The joint model itself: its encoders, item vectors, fusion, and how it is stored.

What has weights that are learned, or feeds them, may enter; how they are learned may not.
"""
