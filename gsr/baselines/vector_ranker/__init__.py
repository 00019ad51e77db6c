"""The ranker with learned vectors of users and items among its features.

Vectors, the user encoder and how they learn together with the ranker may enter; no torch.
"""
