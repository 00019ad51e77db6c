"""Items: popularity, the item graph, how clicks add to them, and how they join and leave.

The second pass over clicks lives here; what the counts say of the next click is in `gsr.votes`.
"""
