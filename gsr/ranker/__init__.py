"""The model that is served and learned on the stream: candidates by counts, ranked by a network.

Features, candidates, the network, its learner, lists and what clicks do to them may enter; neither
torch nor the loop.
"""
