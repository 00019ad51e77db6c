"""A file of results that grows run by run, so that a benchmark can be done in parts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.reports import machine

Summarise = Callable[[list[dict[str, Any]]], dict[str, Any]]


class OtherSettingsError(Exception):
    """The file holds results of other settings."""


@dataclass(slots=True)
class ResultFile:
    """A JSON file that is rewritten after each run.

    Parameters
    ----------
    path
        Where; None: nowhere.
    head
        Settings, which all runs in one file share.
    summarise
        Returns what is written before the single runs.
    runs
        What was measured so far.
    """

    path: Path | None
    head: dict[str, Any]
    summarise: Summarise
    runs: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def open(
        cls, path: Path | None, benchmark: str, settings: dict[str, Any], summarise: Summarise
    ) -> Self:
        """Go on with the file at `path`, or begin it.

        Raises
        ------
        OtherSettingsError
            It was begun with other settings.
        """
        head = {"benchmark": benchmark, **machine(), **settings}
        if path is None or not path.exists():
            return cls(path, head, summarise)
        found = json.loads(path.read_text())
        if {name: found.get(name) for name in head} != json.loads(json.dumps(head)):
            raise OtherSettingsError(f"{path} was begun with other settings: name another file")
        return cls(path, head, summarise, found["runs"])

    def holds(self, **marks: Any) -> bool:
        """Tell whether a run with these marks is there."""
        return any(_has(run, marks) for run in self.runs)

    def drop(self, **marks: Any) -> None:
        """Forget the runs with these marks, to measure them anew."""
        self.runs = [run for run in self.runs if not _has(run, marks)]

    def add(self, **run: Any) -> None:
        """Add a run and write everything anew."""
        self.runs.append(run)
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {**self.head, **self.summarise(self.runs), "runs": self.runs}
        aside = self.path.with_suffix(".new")
        aside.write_text(json.dumps(whole, indent=2) + "\n")
        aside.replace(self.path)


def _has(run: dict[str, Any], marks: dict[str, Any]) -> bool:
    return all(run.get(name) == value for name, value in marks.items())
