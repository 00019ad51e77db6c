"""The loop that a recommender holds: made new, fed with clicks, stored, and gone on with."""

from collections.abc import Mapping
from typing import Any, Final

from gsr.baselines.interface import Baseline
from gsr.baselines.together import BaselinesTogether
from gsr.counters.stored_counters import counters_as_arrays
from gsr.library.clicks import FrameClicks
from gsr.library.saving import Arrays
from gsr.library.settings import StreamSettings
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.loop_state import loop_state, restore_loop, stored_model
from gsr.loop.options import LoopOptions
from gsr.ranker.model import RankerModel

FORGOTTEN: Final = 16
"""One user in so many is forgotten at once, where there are too many."""

_COUNTERS: Final = "counters."
_GENERATIONS: Final = "generations"


def new_loop(
    settings: StreamSettings,
    baselines: Baseline | None = None,
    model: RankerModel | None = None,
) -> LearningLoop:
    """Return a loop that has counted nothing.

    Parameters
    ----------
    settings
        Of the recommender.
    baselines
        What is measured beside the model; None: nothing.
    model
        None: one that has learned nothing.
    """
    options = LoopOptions(
        state=settings.counters,
        model=settings.ranker,
        learner=settings.learning,
        mask_seen=not settings.allow_repeats,
        # As in a replay: what is multiplied together decides the last bits of ranks.
        test_first_clicks=True,
    )
    nothing = BaselinesTogether({}, lambda: 0.0)
    return LearningLoop(options, model, nothing if baselines is None else baselines)


def feed(
    loop: LearningLoop, clicks: FrameClicks, settings: StreamSettings, *, warmed: int = 0
) -> None:
    """Test and learn clicks, cycle by cycle; of the first `warmed` nothing is scored.

    Raises
    ------
    TrainingError
        The numbers were not finite; the weights are those from before that cycle.
    """
    done = 0
    for cycle in clicks.cycles(settings.cycle_clicks):
        # A cycle never straddles the end of the warm-up, as in a replay.
        for part in cycle.split(warmed - done):
            loop.advance(part, rank=done >= warmed)
            loop.test()
            loop.learn()
            done += len(part)
        _forget_users(loop, settings)


def stored_loop(loop: LearningLoop) -> tuple[Arrays, dict[str, Any]]:
    """Return a loop, its counters too, as arrays and JSON values."""
    arrays, document = loop_state(loop)
    mirror = loop.mirror
    counters = counters_as_arrays(mirror.arrays)
    arrays |= {_COUNTERS + name: array for name, array in counters.items()}
    arrays[_GENERATIONS] = mirror.generations.copy()
    return arrays, document


def restored_loop(
    arrays: Arrays,
    document: Mapping[str, Any],
    settings: StreamSettings,
    baselines: Baseline | None = None,
) -> LearningLoop:
    """Return the loop that `stored_loop` stored.

    Raises
    ------
    SnapshotError, KeyError, TypeError, ValueError, IndexError
        Arrays, document and settings do not fit together.
    """
    loop = new_loop(settings, baselines, stored_model(arrays, document, settings.ranker))
    counters = {
        name[len(_COUNTERS) :]: array
        for name, array in arrays.items()
        if name.startswith(_COUNTERS)
    }
    loop.mirror.load(counters, arrays[_GENERATIONS])
    restore_loop(loop, arrays, document)
    return loop


def _forget_users(loop: LearningLoop, settings: StreamSettings) -> None:
    """Forget some of the users where there are too many."""
    counters = loop.mirror.arrays
    most, most_bytes = settings.max_users, settings.max_user_bytes
    if len(counters.users) > most or counters.users.nbytes > most_bytes:
        counters.mark_clean()
        counters.evict_users(most - most // FORGOTTEN, most_bytes - most_bytes // FORGOTTEN)
