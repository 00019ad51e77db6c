"""Users: the buffers of their last clicks, what fell out of them, and how clicks enter.

The first pass over clicks lives here; edges and popularity are counted in `gsr.counters.items`.
"""
