"""The ranker over counters: a small network over all that is counted, learned click by click.

Features, candidates, network and what joins them may enter; neither torch nor encoders.
"""
