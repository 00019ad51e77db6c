"""From scores to ranks and lists: retrieval, and where clicked items stand among all.

What orders items may enter; what learns may not.
"""
