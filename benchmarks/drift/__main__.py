"""Drift detectors and the learner, on streams whose true changes are known.

    python -m benchmarks.drift --out docs/results/drift.json
    python -m benchmarks.drift --out FILE --scenario abrupt --seeds 5 --clicks 100000

Every scenario's stream goes through the learning loop with default settings, test-then-train; so
does its unchanged twin, `stationary` of the same seed. What is finished is kept in FILE, and a
later call goes on from there; a FILE of other settings is refused. Seven scenarios, two seeds,
30,000 clicks: fourteen runs, each some five seconds on a free core, and a minute for the detectors.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from benchmarks.drift.runs import BLOCK_CLICKS, CYCLE_CLICKS, WARM_UP, Run, follow
from benchmarks.drift.scenarios import SCENARIOS, make_stream
from benchmarks.drift.steady_hits import FALLS, RATES, fall_delays, steady_alarms
from benchmarks.drift.summary import TWIN, summarise, table
from benchmarks.reports import machine
from consumers.config.settings import GsrConfig
from consumers.runtime.threads import limit_threads

CLICKS: Final = 30_000
SEEDS: Final = 2
STEADY_SEEDS: Final = 4
FALL_STREAMS: Final = 25


class ResultFile:
    """Finished pieces, kept as soon as they are there.

    Parameters
    ----------
    path
        The file.
    settings
        That all its pieces share.

    Raises
    ------
    SystemExit
        The file's pieces are of other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        self._content: dict[str, Any] = {"settings": settings, "machine": machine(), "pieces": {}}
        if path.exists():
            found = json.loads(path.read_text())
            if found["settings"] != settings:
                raise SystemExit(f"{path} has pieces of {found['settings']}: name another file")
            self._content["pieces"] = found["pieces"]

    def __contains__(self, name: str) -> bool:
        return name in self._content["pieces"]

    def piece(self, name: str) -> Any:
        """Return a finished piece."""
        return self._content["pieces"][name]

    def keep(self, name: str, piece: Any) -> None:
        """Add a finished piece and write the file."""
        self._content["pieces"][name] = piece
        self._write()

    def conclude(self, summary: dict[str, Any]) -> None:
        """Put the summary of all pieces into the file."""
        self._content["summary"] = summary
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".part")
        draft.write_text(json.dumps(self._content, sort_keys=True) + "\n")
        draft.replace(self._path)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, write the summary and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where results are kept")
    parser.add_argument("--scenario", choices=tuple(SCENARIOS), help="one only; and its twin")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--clicks", type=int, default=CLICKS, help="in each stream")
    given = parser.parse_args(arguments)
    settings = {
        "clicks": given.clicks,
        "cycle_clicks": CYCLE_CLICKS,
        "block_clicks": BLOCK_CLICKS,
        "warm_up": WARM_UP,
    }
    results = ResultFile(given.out, settings)
    limit_threads(GsrConfig().trainer.threads)
    wanted = [TWIN, *(name for name in SCENARIOS if given.scenario in (None, name))]
    wanted = list(dict.fromkeys(wanted))
    runs: dict[str, list[Run]] = {scenario: [] for scenario in wanted}
    for seed in range(given.seeds):
        for scenario, own in runs.items():
            own.append(_finished(results, scenario, seed, given.clicks))
    rows = {name: summarise(name, own, runs[TWIN], given.clicks) for name, own in runs.items()}
    summary: dict[str, Any] = {"scenarios": rows}
    if given.scenario is None:
        summary["detectors_alone"] = _detectors_alone(results)
    results.conclude(summary)
    print(table(rows))


def _finished(results: ResultFile, scenario: str, seed: int, clicks: int) -> Run:
    name = f"{scenario}/{seed}"
    if name not in results:
        run = follow(make_stream(scenario, clicks, seed), seed)
        results.keep(name, run.document())
        print(f"{name}: {run.seconds} s, {len(run.alarms)} alarms", flush=True)
    return Run.read(results.piece(name))


def _detectors_alone(results: ResultFile) -> dict[str, Any]:
    for rate in RATES:
        if f"steady/{rate}" not in results:
            results.keep(f"steady/{rate}", steady_alarms(rate, STEADY_SEEDS))
    for before, after in FALLS:
        if f"fall/{before}/{after}" not in results:
            results.keep(f"fall/{before}/{after}", fall_delays(before, after, FALL_STREAMS))
    return {
        "steady": [results.piece(f"steady/{rate}") for rate in RATES],
        "falls": [results.piece(f"fall/{before}/{after}") for before, after in FALLS],
    }


if __name__ == "__main__":
    main()
