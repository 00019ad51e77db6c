"""Repairs of kafka-python 3.0.12, each in a file of its own.

Each says what the library does wrong, how that is found, and when the repair can go.
"""
