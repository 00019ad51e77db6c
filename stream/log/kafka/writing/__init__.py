"""Appending to a topic: idempotently, or fenced and in transactions.

What a `Writer` needs may enter.
"""
