"""The event log: one interface; on SQLite files, in memory, or on Apache Kafka.

What every log shares stands here; what carries one has a room of its own.
"""
