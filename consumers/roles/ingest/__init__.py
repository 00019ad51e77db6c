"""The ingest role: clicks from the log into durable state.

Here live the loop, what happens to one partition (opening, applying, dead letters, sequences), and
the role's gauges. It never imports torch, nor another role.
"""
