"""The event log of one machine: SQLite files, no server; and its twin in memory.

Behind `stream.log.interface`: nobody but `stream.log.opening` names what is in here.
"""
