"""The state of a learning loop but for its counters, as arrays and a JSON document.

What is the model's, the learner's, the detectors' and the loop's own. The counters are stored by
whoever knows where they come from.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

import numpy.typing as npt

from gsr.loop.learning_loop import LearningLoop
from gsr.loop.reports import LoopTotals, TimedAlarm
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from gsr.ranker.snapshot import from_snapshot, to_arrays, to_manifest

Arrays = dict[str, npt.NDArray[Any]]

_MODEL: Final = "model."
_LEARNER: Final = "learner."
_POPULAR: Final = "popular."
_OUTCOMES: Final = "outcomes"


def loop_state(loop: LearningLoop) -> tuple[Arrays, dict[str, Any]]:
    """Return arrays and JSON values; nothing may wait to be tested or learned."""
    stream = loop.stream
    learner_arrays, learner_document = stream.learner.state()
    popular = stream.recorder.popular
    arrays = {_MODEL + name: array for name, array in to_arrays(stream.model).items()}
    arrays |= {_LEARNER + name: array for name, array in learner_arrays.items()}
    arrays |= {_POPULAR + "rows": popular.rows, _POPULAR + "counts": popular.counts}
    arrays[_OUTCOMES] = loop.detector.recent()
    document = {
        "model": to_manifest(stream.model),
        "learner": learner_document,
        "random": loop.rng.bit_generator.state,
        "quality": loop.quality.to_dict(),
        "detector": {"outcomes": loop.detector.outcomes, "alarms": loop.detector.alarms},
        "alarms": [asdict(alarm) for alarm in loop.alarms],
        "totals": asdict(loop.totals),
    }
    return arrays, document


def stored_model(arrays: Arrays, document: Mapping[str, Any], config: RankerConfig) -> RankerModel:
    """Return the model, with which a loop is to be made that goes on.

    Raises
    ------
    SnapshotError
        It was made with another configuration, or does not fit together.
    """
    return from_snapshot(_part(arrays, _MODEL), dict(document["model"]), config)


def restore_loop(loop: LearningLoop, arrays: Arrays, document: Mapping[str, Any]) -> None:
    """Put learner, quality, detectors and random state back into a loop with the stored model.

    Quality is left at zero where the loop has other baselines than the stored one had.

    Raises
    ------
    SnapshotError
        The state does not fit the model.
    """
    loop.stream.learner.restore(_part(arrays, _LEARNER), dict(document["learner"]))
    # The counters say which items are popular, but not in which order equal ones stand.
    popular, stored = loop.stream.recorder.popular, _part(arrays, _POPULAR)
    popular.rows[:], popular.counts[:] = stored["rows"], stored["counts"]
    loop.rng.bit_generator.state = document["random"]
    loop.quality.restore(document["quality"])
    detector = document["detector"]
    loop.detector.rebuild(arrays[_OUTCOMES], int(detector["outcomes"]), detector["alarms"])
    loop.alarms.extend(TimedAlarm(**alarm) for alarm in document["alarms"])
    known = {field.name for field in fields(LoopTotals)}
    loop.totals = LoopTotals(**{k: v for k, v in document["totals"].items() if k in known})


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {n[len(prefix) :]: one for n, one in arrays.items() if n.startswith(prefix)}
