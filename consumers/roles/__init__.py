"""The three processes of a running service: ingest, trainer, publisher.

They meet in the log and the artifact store, never in memory.
"""
