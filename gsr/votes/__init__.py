"""What the counters say about the next click: channels, context, candidates, baselines.

Imports no torch. Whatever turns counts into a statement about a click may enter.
"""
