"""The processes of a running service: ingest, trainer, publisher, serve.

They meet in the log and the artifact store, never in memory.
"""
