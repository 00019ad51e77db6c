"""The joint ranker: candidates by counts, ranked by a network over counts and learned vectors.

Features, candidates, the network, its learner, lists and what clicks do to them may enter; neither
torch nor the loop.
"""
