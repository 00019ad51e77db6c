"""Counters of clicks: user buffers, the item graph, popularity, ids; in memory, exact, compiled.

Imports no torch and knows no disk: `stream.state` makes them durable, the model reads them.
Only what counts clicks, or holds counts, may enter.
"""
