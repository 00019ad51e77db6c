"""Which clicks are tested, and what came before each."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.offline.windows.cases import choose_cases, prefixes
from consumers.offline.windows.log import read_windows
from consumers.offline.windows.options import WindowOptions
from tests.consumers.offline.windows.tables import random_rows, write_table


@pytest.mark.parametrize("tested", ["last", "each"])
@pytest.mark.parametrize("known_only", [False, True])
def test_cases_are_those_of_the_rules(tmp_path: Path, tested: Any, known_only: bool) -> None:
    """Unknown items go first, then sessions of one click; the first window is only learned."""
    options = WindowOptions(
        events=write_table(tmp_path / "t.csv", random_rows(3)),
        session="session_id",
        time="timestamp",
        window="window",
        tested=tested,
        known_items_only=known_only,
    )
    log = read_windows(options)
    wanted = set()
    known: set[int] = set()
    for window in range(5):
        span = range(int(log.bounds[window]), int(log.bounds[window + 1]))
        sessions: dict[int, list[int]] = {}
        for row in span:
            if window and (not known_only or log.items[row] in known):
                sessions.setdefault(int(log.sessions[row]), []).append(row)
        for rows in sessions.values():
            wanted |= set(rows[1:] if tested == "each" else rows[1:][-1:])
        known |= {int(log.items[row]) for row in span}
    cases = choose_cases(log, options, np.random.default_rng(0))
    assert set(np.flatnonzero(cases.tested).tolist()) == wanted
    assert cases.read[cases.tested].all()


def test_a_share_is_drawn(tmp_path: Path) -> None:
    """About so many of the same cases."""
    path = write_table(tmp_path / "t.csv", random_rows(3, sessions=100))
    some, every = (
        WindowOptions(events=path, session="session_id", window="window", share=s, tested="each")
        for s in (0.3, 1.0)
    )
    log = read_windows(every)
    drawn = choose_cases(log, some, np.random.default_rng(0)).tested
    all_cases = choose_cases(log, every, np.random.default_rng(0)).tested
    assert not (drawn & ~all_cases).any()
    assert 0.2 < drawn.sum() / all_cases.sum() < 0.4


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 5), st.booleans()), max_size=30),
    st.integers(1, 4),
)
def test_prefixes_are_the_newest_clicks_before(
    clicks: list[tuple[int, int, bool]], longest: int
) -> None:
    """Of the same group, without unknown items."""
    groups = np.array([group for group, _, _ in clicks], dtype=np.int64)
    items = np.array([item for _, item, _ in clicks], dtype=np.int64)
    asked = np.array([one for _, _, one in clicks], dtype=np.bool_)
    found = prefixes(groups, items, np.arange(float(len(clicks))), asked, longest)
    for case, row in enumerate(np.flatnonzero(asked).tolist()):
        before = [k for k in range(row) if groups[k] == groups[row] and items[k] >= 0][-longest:]
        length = int(found.lengths[case])
        assert found.items[case, :length].tolist() == [items[k] for k in before]
        assert found.times[case, :length].tolist() == before
        assert (found.items[case, length:] == -1).all()
        assert not found.times[case, length:].any()
    assert len(found.lengths) == asked.sum()
