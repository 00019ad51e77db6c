"""Learned vectors of users and items, whose products are features of the ranker.

Encoder, item vectors, and what they learn from may enter; counters are the ranker's.
"""
