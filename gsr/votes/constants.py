"""Numbers that decide how counts become votes and features, each with its reason.

The ranker's weights depend on `NEW_ITEM_CLICKS` and `PAUSE_SECONDS`: to change these is to make
snapshots that were learned before meaningless. The others shape the lists before the first model,
the baselines and the graph encoder.
"""

import math
from typing import Final

LN2: Final = math.log(2.0)

NEVER: Final = -1e18
"""The log2 of no clicks at all: finite, so that differences of levels stay numbers."""

FLOOR_LOG2: Final = -7.0
"""Less than 2^-7 of a click is as good as none: old items would sink without end otherwise."""

FLOOR: Final = FLOOR_LOG2 * LN2
"""The popularity channel of an item at the floor."""

SQUASH: Final = 10.0
"""A tenth of an edge already counts as one, so that single followers stand out from none."""

RECENT_CLICKS: Final = 5
RECENT_DECAY: Final = 0.5
"""The recent channels and the baselines hear so few clicks, each half as much as the next newer
one: what comes next mostly follows the last click or the one before."""

NEW_ITEM_CLICKS: Final = 10
"""An item is new while it has had fewer clicks than this, of anybody: too few to learn it by."""

NEW_LOG2: Final = math.log2(NEW_ITEM_CLICKS)

MASS_PRIOR: Final = 0.05
"""Weight that the graph encoder adds to a row before it takes shares of it, so that a faded row's
are small. The ranker has a prior of its own (`gsr.ranker.votes`)."""

LARGEST_DECAY_LOG2: Final = 100.0
"""Decay factors lie within two to the power of plus or minus this: float32 holds 127."""

PAUSE_SECONDS: Final = 10.0
"""Pauses shorter than this are much alike."""
