"""Repairs of kafka-python, a file each; its private parts are used nowhere else.

Each file says what the library does wrong, its issue, the probe that finds whether the repair fits
the installed version, and until when it is needed. docs/kafka.md, "Repairs of kafka-python", lists
them. Nothing else may enter.
"""
