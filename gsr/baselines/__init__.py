"""Rivals of the joint model, measured on the same clicks: each ranks a click, then counts it.

What a rival is made of may enter; it may use counters and votes, but neither torch nor the loop.
"""
