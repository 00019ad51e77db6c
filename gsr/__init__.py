"""The library: counting clicks, and a joint model that learns from the counts and the clicks.

What a program calls is here: `StreamRecommender`, its `StreamSettings`, and the errors. They are
loaded when they are first asked for, so that importing the package costs next to nothing. The rooms
below are read in the order counters, votes, ranker, network, ranking, learning, reasons, quality,
baselines, loop, library.

No logs, clocks or settings of processes; no files but those that `StreamRecommender.save` and
`StreamRecommender.load` are told; imports nothing else of this project.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsr.counters.config import CounterConfig
    from gsr.errors import ClicksError, ModelError, SnapshotError
    from gsr.library.evaluation import Evaluation
    from gsr.library.settings import StreamSettings
    from gsr.library.stream_recommender import StreamRecommender
    from gsr.ranker.config import RankerConfig, RankerLearning

__all__ = [
    "ClicksError",
    "CounterConfig",
    "Evaluation",
    "ModelError",
    "RankerConfig",
    "RankerLearning",
    "SnapshotError",
    "StreamRecommender",
    "StreamSettings",
]

_HOMES = {
    "ClicksError": "gsr.errors",
    "CounterConfig": "gsr.counters.config",
    "Evaluation": "gsr.library.evaluation",
    "ModelError": "gsr.errors",
    "RankerConfig": "gsr.ranker.config",
    "RankerLearning": "gsr.ranker.config",
    "SnapshotError": "gsr.errors",
    "StreamRecommender": "gsr.library.stream_recommender",
    "StreamSettings": "gsr.library.settings",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, from the module that it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
