"""Settings of the test-train-judge loop."""

from dataclasses import dataclass

from gsr.baselines.counters import HALF_LIVES
from gsr.counters.config import CounterConfig
from gsr.ranker.config import RankerConfig, RankerLearning


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopOptions:
    """Settings of a `LearningLoop`.

    Parameters
    ----------
    state
        Shape of each partition's counters.
    model, learner
        Of the ranker; its event weights are also those of the counters.
    partitions
        How many partitions come together in the loop's counters.
    mask_seen
        Clicks on items in the user's buffer are not tested nor learned, and these items are left
        out of every ranking.
    half_lives
        Of the baselines, in seconds, where the loop is not given other ones.
    test_first_clicks
        Clicks of users of whom nothing is known are tested too. They are told apart in
        `TestedClicks`, and do not enter the loop's quality.
    recent_clicks
        Tested clicks over which recent quality is averaged.
    most_samples
        Clicks that may wait to be learned; the oldest are shed past it.
    """

    state: CounterConfig
    model: RankerConfig
    learner: RankerLearning
    partitions: int = 1
    mask_seen: bool = True
    half_lives: tuple[float, ...] = HALF_LIVES
    test_first_clicks: bool = False
    recent_clicks: int = 5000
    most_samples: int = 100_000
