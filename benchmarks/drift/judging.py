"""What a run is worth, held against the true changes and the unchanged twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.drift.runs import BLOCK_CLICKS, Run
from benchmarks.drift.scenarios import Change

MILLION: Final = 1_000_000
ACCEPTED_SHARE: Final = 0.1
"""An alarm up to this share of the stream after a change is complete counts as its alarm."""

RECOVERY_CLICKS: Final = 1000
RECOVERED_DEFICIT: Final = 0.1
"""Recovered is a model whose hit rate over `RECOVERY_CLICKS` is this share below its twin's."""


@dataclass(frozen=True, slots=True)
class AlarmCounts:
    """Alarms held against the true changes.

    Parameters
    ----------
    delays
        Per change, clicks from its start to its first alarm; None: missed.
    repeats
        Further alarms of a change that had its first.
    false
        Alarms that no change explains.
    quiet
        Watched clicks at which every alarm is false.
    """

    delays: list[int | None]
    repeats: int
    false: int
    quiet: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What a change cost, in honest clicks.

    Parameters
    ----------
    hits
        Hits that the twin would have had and the run had not, from the change's start until
        recovery, or until the next change or the end of the stream where that is sooner.
    recovery
        Clicks from the change's start until recovery; None: not before the next change or the end.
    """

    hits: float
    recovery: int | None


def judge_alarms(
    alarms: Sequence[int], changes: Sequence[Change], watched_from: int, clicks: int
) -> AlarmCounts:
    """Tell true alarms from false ones.

    A change explains the alarms from its start until `ACCEPTED_SHARE` of the stream after its end,
    or until the next change begins where that is sooner.

    Parameters
    ----------
    alarms
        Numbers of the clicks, in order.
    changes
        In order.
    watched_from
        The first click at which an alarm is possible.
    clicks
        In the stream.

    Examples
    --------
    >>> judge_alarms([90, 520, 530, 700], [Change(500, 500)], 0, 1000)
    AlarmCounts(delays=[20], repeats=1, false=2, quiet=900)
    """
    delays: list[int | None] = []
    explained, quiet = 0, clicks - watched_from
    for change, following in _with_next(changes, clicks):
        stop = min(change.end + round(ACCEPTED_SHARE * clicks), following)
        own = [alarm for alarm in alarms if change.start <= alarm < stop]
        delays.append(own[0] - change.start if own else None)
        explained += len(own)
        quiet -= max(stop - max(change.start, watched_from), 0)
    found = sum(delay is not None for delay in delays)
    return AlarmCounts(delays, explained - found, len(alarms) - explained, quiet)


def hit_deficits(run: Run, twin: Run) -> npt.NDArray[np.float64]:
    """Return float64 [blocks], the twin's hits, in the run's tests, less the run's own.

    Tests differ a little in number (a repeated item is not tested), so rates are compared.
    """
    tested = np.array(run.tested, dtype=np.float64)
    expected = np.array(twin.hits) / np.maximum(twin.tested, 1) * tested
    return np.asarray(expected - np.array(run.hits), dtype=np.float64)


def judge_loss(run: Run, twin: Run, changes: Sequence[Change]) -> list[Loss]:
    """Return what each change cost, in hits and in clicks until recovery.

    Quality is compared by blocks of `BLOCK_CLICKS`, the first of which holds the change's start.
    The run has recovered at the end of the first stretch of `RECOVERY_CLICKS`, begun after the
    change is complete, in which its hit rate is at most `RECOVERED_DEFICIT` of the twin's below it.
    Changes must count honest clicks.
    """
    deficits = hit_deficits(run, twin)
    expected = deficits + np.array(run.hits)
    width = RECOVERY_CLICKS // BLOCK_CLICKS
    losses = []
    for change, following in _with_next(changes, len(deficits) * BLOCK_CLICKS):
        first, stop = change.start // BLOCK_CLICKS, following // BLOCK_CLICKS
        recovery, end = None, stop
        for start in range(-(-change.end // BLOCK_CLICKS), stop - width + 1):
            stretch = slice(start, start + width)
            if deficits[stretch].sum() <= RECOVERED_DEFICIT * expected[stretch].sum():
                end = start + width
                recovery = end * BLOCK_CLICKS - change.start
                break
        losses.append(Loss(round(float(deficits[first:end].sum()), 1), recovery))
    return losses


def hit_rate(run: Run, start: int, stop: int | None = None) -> float:
    """Return HR@20 of honest clicks from the block of honest click `start` to that of `stop`."""
    part = slice(start // BLOCK_CLICKS, None if stop is None else stop // BLOCK_CLICKS)
    return sum(run.hits[part]) / max(sum(run.tested[part]), 1)


def per_million(count: int, clicks: int) -> float:
    """Return how many in 10^6 clicks; 0 where there are no clicks.

    >>> per_million(2, 40_000)
    50.0
    """
    return count * MILLION / clicks if clicks else 0.0


def _with_next(changes: Sequence[Change], end: int) -> list[tuple[Change, int]]:
    """Return each change with the start of the one after it, or `end`."""
    starts = [*(change.start for change in changes[1:]), end][: len(changes)]
    return list(zip(changes, starts, strict=True))
