"""Published stream protocols: every window of a log is tested, then learned.

What is learned and in which order is the same in both modes; they differ in what is known of the
window itself. *Frozen*: all its cases are ranked before any of its clicks is counted, each by
the clicks before it. *Live*: each case is ranked just before its own click is counted, when the
clicks of others in the same window are already known. In live mode histories hold every click,
also those that a test of known items leaves out.
"""

from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from consumers.errors import ConfigError
from consumers.offline.windows.cases import Cases, choose_cases, prefixes
from consumers.offline.windows.contestants import BaselinesAlone, Contestants, JointAndBaselines
from consumers.offline.windows.log import WindowedLog, read_windows
from consumers.offline.windows.options import Mode, WindowOptions
from consumers.offline.windows.tallies import Tallies
from consumers.runtime.progress import Progress, ProgressCallback, TimedProgress, quiet
from consumers.runtime.usage import process_usage
from gsr.baselines.together import BaselinesTogether
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.histories import Histories
from gsr.loop.mirror import Mirror
from stream.clock import Clock, SystemClock

HASH_STEP: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
"""Odd, so that multiples of it are distinct: every row of the log is a click of its own."""


def replay_windows(
    options: WindowOptions,
    baselines: BaselinesTogether,
    progress: ProgressCallback = quiet,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Test and learn a log window by window, and return what was found.

    Parameters
    ----------
    options
        See `WindowOptions`.
    baselines
        Those that are measured, empty still (see `window_baselines`).
    progress
        Is told a few times a second.
    clock
        Of the cost.

    Returns
    -------
    A document for JSON: `counts` of the log; `windows`, each with its quality in each mode;
    `over_windows` and `over_cases`, the means of each mode; `options` and `cost`, with what each
    baseline took.

    Raises
    ------
    EventFileError
        The table cannot be read.
    ConfigError
        An option makes no sense or does not fit the table, or there is nothing to test.
    """
    options.check()
    clock = clock or SystemClock()
    started = clock.monotonic()
    progress(Progress(stage="reading", done=0, total=0))
    log = read_windows(options)
    cases = choose_cases(log, options, np.random.default_rng(options.seed))
    if not cases.tested.any():
        raise ConfigError(
            "nothing can be tested: no session after the first windows has two clicks; is the "
            "column of sessions the right one?"
        )
    if not (options.joint or baselines.names):
        raise ConfigError("nothing is measured: name a baseline, or learn the joint model")
    contestants = JointAndBaselines if options.joint else BaselinesAlone
    run = WindowRun(options, log, cases, contestants(options, baselines))
    timed = TimedProgress(progress, clock, len(log.times))
    for window in range(len(log.numbers)):
        run.turn(window)
        timed.tell("testing and learning", int(log.bounds[window + 1]), run.note())
    document = run.document()
    document["options"]["baselines"] = list(baselines.seconds)
    document["cost"] = {
        **asdict(process_usage()),
        "seconds": clock.monotonic() - started,
        "baselines_seconds": dict(baselines.seconds),
    }
    return document


class WindowRun:
    """One run over all windows.

    Parameters
    ----------
    options
        See `WindowOptions`.
    log, cases
        The clicks, and which of them are tested.
    contestants
        Who is tested.
    """

    def __init__(
        self,
        options: WindowOptions,
        log: WindowedLog,
        cases: Cases,
        contestants: Contestants,
    ) -> None:
        self._options = options
        self._log = log
        self._cases = cases
        self._contestants = contestants
        rules = options.config.events.rules()
        self._event = rules.codes[rules.default_event]
        self._tallies: dict[Mode, Tallies] = {
            mode: Tallies(contestants.names) for mode in options.modes
        }
        self._windows: list[dict[str, Any]] = []

    def turn(self, window: int) -> None:
        """Test the next window, then learn it."""
        log, mirror = self._log, self._contestants.mirror
        rows = slice(int(log.bounds[window]), int(log.bounds[window + 1]))
        batch = self._batch(rows)
        found: dict[str, Any] = {
            "window": int(log.numbers[window]),
            "clicks": len(batch),
            "sessions": len(np.unique(log.sessions[rows])),
        }
        if "frozen" in self._tallies:
            self._tally(found, "frozen", self._rank_frozen(batch, rows))
        live = self._learn(batch, self._cases.tested[rows] & ("live" in self._tallies))
        if "live" in self._tallies:
            self._tally(found, "live", live)
        self._windows.append(found)
        if self._options.histories == "session":
            mirror.let_users_go(0)  # no session goes on after its window

    def note(self) -> str:
        """Return the quality so far of the first of the models, in a few words."""
        name, found = self._contestants.names[0], []
        for mode, tally in self._tallies.items():
            means = tally.over_windows()
            if means:
                shown = " ".join(
                    f"{m} {means[name][m]:.4f}" for m in ("hr@20", "ndcg@20", "mrr@20")
                )
                found.append(f"{name}, {mode}: {shown}")
        return "; ".join(found)

    def document(self) -> dict[str, Any]:
        """Return what was found, but for the cost."""
        log, options = self._log, self._options
        return {
            "counts": {
                "windows": len(log.numbers),
                "dropped_windows": log.dropped_windows.tolist(),
                "sessions": sum(window["sessions"] for window in self._windows),
                "clicks": len(log.times),
                "items": len(np.unique(log.items)),
                "late_clicks": log.late,
                "cases": int(self._cases.tested.sum()),
            },
            "models": list(self._contestants.names),
            "windows": self._windows,
            "over_windows": {m: tally.over_windows() for m, tally in self._tallies.items()},
            "over_cases": {
                m: {"cases": tally.cases, **tally.over_cases()}
                for m, tally in self._tallies.items()
            },
            "options": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(options).items()
                if name not in {"config", "events"}
            }
            | {"events": options.events.name},
        }

    def _tally(self, found: dict[str, Any], mode: Mode, ranks: npt.NDArray[np.int32]) -> None:
        self._tallies[mode].add(ranks)
        found[mode] = self._tallies[mode].last()

    def _rank_frozen(self, batch: ClickBatch, rows: slice) -> npt.NDArray[np.int32]:
        """Rank the window's cases by what was known before the window and their own prefixes."""
        contestants, read = self._contestants, self._cases.read[rows]
        tested = self._cases.tested[rows]
        if not tested.any():
            return np.zeros((0, len(contestants.names)), dtype=np.int32)
        items = contestants.mirror.arrays.item_rows(batch.item_ids)
        users = self._log.users[rows]
        known = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        if self._options.histories == "user":
            known = _known_clicks(contestants.mirror, np.unique(users[tested]))
        before = prefixes(
            np.concatenate((known[0], users[read])),
            np.concatenate((known[1], items[read])),
            np.concatenate((known[2], batch.times[read])),
            np.concatenate((np.zeros(len(known[0]), dtype=np.bool_), tested[read])),
            self._options.config.state.buffer_length,
        )
        histories = Histories(
            before.items,
            before.times,
            np.where(before.items >= 0, self._event, 0).astype(np.uint8),
            before.lengths,
            batch.times[tested],
        )
        hashes = IdColumn.of(batch.user_ids).hashes[tested]
        return contestants.rank(histories, items[tested], hashes)

    def _learn(self, batch: ClickBatch, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Learn the window in cycles; return the ranks of the tested clicks."""
        found = [np.zeros((0, len(self._contestants.names)), dtype=np.int32)]
        for start in range(0, len(batch), self._options.cycle_clicks):
            stop = start + self._options.cycle_clicks
            part = batch.slice(start, stop)
            found.append(self._contestants.take(part, tested[start:stop]))
        return np.concatenate(found)

    def _batch(self, rows: slice) -> ClickBatch:
        log = self._log
        count = rows.stop - rows.start
        offsets = np.arange(rows.start, rows.stop)
        return ClickBatch(
            user_ids=IdColumn.of(list(map(str, log.users[rows].tolist()))),
            item_ids=IdColumn.of(log.item_ids[log.items[rows]].tolist()),
            times=log.times[rows],
            events=np.full(count, self._event, dtype=np.uint8),
            hashes=(offsets.astype(np.uint64) + np.uint64(1)) * HASH_STEP,
            forget=np.zeros(count, dtype=np.bool_),
            offsets=offsets,
            append_times=log.times[rows],
        )


def _known_clicks(
    mirror: Mirror, users: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the clicks of `users` that the counters remember: users, item rows, times."""
    buffers = mirror.arrays.user_buffers(IdColumn.of(list(map(str, users.tolist()))))
    found = [(user, b) for user, b in zip(users.tolist(), buffers, strict=True) if b is not None]
    owners = np.repeat([user for user, _ in found], [len(buffer) for _, buffer in found])
    return (
        owners.astype(np.int64),
        np.concatenate([np.zeros(0, np.int64), *(buffer.items for _, buffer in found)]),
        np.concatenate([np.zeros(0), *(buffer.times for _, buffer in found)]),
    )
