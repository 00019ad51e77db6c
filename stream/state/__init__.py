"""The durable state of a partition: the counters of `gsr.counters` on RocksDB, and a click feed.

Only what stores, reads, checks or restores them may enter; how clicks count is decided there.
"""
