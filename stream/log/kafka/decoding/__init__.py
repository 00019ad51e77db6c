"""From the bytes of record batches to columns, in kernels.

Knows the format alone: no client, no network.
"""
