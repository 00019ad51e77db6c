"""Everything that says what an event is: clicks, the other records, event files, a simulator.

One room each. Formats and their limits may enter; how records are stored or moved may not.
"""
