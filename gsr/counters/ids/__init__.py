"""Ids of users and items as kernels read them: columns with hashes, tables, fingerprints.

What turns ids into numbers may enter.
"""
