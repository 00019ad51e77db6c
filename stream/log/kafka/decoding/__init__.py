"""Decoding of record batches into columns, in kernels.

Knows the format alone: no client, no network.
"""
