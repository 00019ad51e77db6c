"""Lists and ranks from scores: exact retrieval, and exact ranks of clicked items.

What orders items may enter; what learns may not.
"""
