"""Work with topics that roles and commands share.

Here live reading of ranges, looking up, feeding, export, and following with its lag. It knows logs
and records, but no role.
"""
