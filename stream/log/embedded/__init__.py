"""The event log of one machine: topics in SQLite files without a server, or in memory.

The modules `storage_*` are what both share. What a `Log` on one machine needs may enter.
"""
