"""Reading a topic: positions, groups, rebalances, damage, silence.

What a `Reader` needs may enter.
"""
