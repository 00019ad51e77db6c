"""Delays, false alarms, losses and recovery are what their definitions say."""

import json
from pathlib import Path

import pytest

from benchmarks.drift import __main__ as command
from benchmarks.drift.judging import (
    AlarmCounts,
    Loss,
    hit_rate,
    judge_alarms,
    judge_loss,
    per_million,
)
from benchmarks.drift.runs import BLOCK_CLICKS, Run, follow
from benchmarks.drift.scenarios import Change, make_stream
from benchmarks.drift.steady_hits import fall_delays, steady_alarms
from benchmarks.drift.summary import summarise, table


def run_with(rates: list[float], alarms: list[tuple[int, str]] | None = None) -> Run:
    """Return a run with 100 tests a block and these hit rates."""
    return Run(
        clicks=len(rates) * BLOCK_CLICKS,
        watched_from=0,
        alarms=alarms or [],
        hits=[round(100 * rate) for rate in rates],
        tested=[100] * len(rates),
        seconds=0.0,
    )


def test_alarms_belong_to_the_change_before_them_for_a_while() -> None:
    """The first is its delay, others repeat it, later and earlier ones are false."""
    changes = [Change(4000, 4500), Change(8000, 8000)]
    found = judge_alarms([500, 4100, 5499, 5500, 7999], changes, 1000, 10_000)
    assert found.delays == [100, None]
    assert (found.repeats, found.false) == (1, 3)
    # Quiet: 9000 watched, less 1500 of the first change and 1000 of the second.
    assert found.quiet == 6500


def test_the_next_change_ends_what_a_change_explains() -> None:
    """Changes that follow each other closely share no alarm."""
    found = judge_alarms([510], [Change(400, 400), Change(500, 500)], 0, 10_000)
    assert found.delays == [None, 10]
    assert judge_alarms([5], [], 0, 50) == AlarmCounts([], 0, 1, 50)


def test_loss_counts_until_recovery() -> None:
    """Ten hits are missed in each of two blocks; then two blocks within a tenth of the twin."""
    twin = run_with([0.5] * 10)
    run = run_with([0.5] * 4 + [0.4, 0.4] + [0.5] * 4)
    change = Change(4 * BLOCK_CLICKS, 4 * BLOCK_CLICKS)
    # The stretch of blocks 5 and 6 is exactly a tenth below: its end is the recovery.
    assert judge_loss(run, twin, [change]) == [Loss(20.0, 3 * BLOCK_CLICKS)]


def test_no_recovery_before_the_next_change_is_said() -> None:
    """The loss then ends with the next change, and that one's own goes to the end."""
    twin, run = run_with([0.5] * 8), run_with([0.5] * 2 + [0.2] * 6)
    changes = [Change(2 * BLOCK_CLICKS, 2 * BLOCK_CLICKS), Change(5 * BLOCK_CLICKS, 3000)]
    assert judge_loss(run, twin, changes) == [Loss(90.0, None), Loss(90.0, None)]


def test_a_gradual_change_cannot_be_recovered_from_before_its_end() -> None:
    """Good blocks at its beginning, when little has changed, are no recovery."""
    twin, run = run_with([0.5] * 10), run_with([0.5] * 4 + [0.2] * 2 + [0.5] * 4)
    change = Change(2 * BLOCK_CLICKS, 6 * BLOCK_CLICKS)
    assert judge_loss(run, twin, [change]) == [Loss(60.0, 6 * BLOCK_CLICKS)]


def test_loss_compares_rates_where_tests_differ_in_number() -> None:
    """Twice as many tests at the same rate lose nothing."""
    twin = run_with([0.5] * 4)
    run = Run(2000, 0, [], hits=[100] * 4, tested=[200] * 4, seconds=0.0)
    assert judge_loss(run, twin, [Change(0, 0)])[0].hits == 0.0
    assert hit_rate(run, 500, 1500) == 0.5


def test_per_million_of_nothing_is_nothing() -> None:
    """No clicks, no rate."""
    assert per_million(0, 0) == 0.0
    assert per_million(3, 1_500_000) == 2.0


def test_a_summary_holds_runs_against_their_twins() -> None:
    """Seed by seed: alarms, rates from the change on, and what it cost."""
    clicks = 10 * BLOCK_CLICKS
    start = clicks // 2
    twins = [run_with([0.5] * 10), run_with([0.5] * 10)]
    runs = [
        run_with([0.5] * 5 + [0.3] + [0.5] * 4, [(start + 40, "adwin")]),
        run_with([0.5] * 5 + [0.4] + [0.5] * 4),
    ]
    row = summarise("abrupt", runs, twins, clicks)
    assert row["delays"] == [40, None]
    assert row["missed"] == 1
    assert row["seeds"] == [0, 1]
    assert row["ratios"] == [0.92, 0.96]
    assert row["hits_lost"] == [20.0, 10.0]
    assert row["clicks_to_recovery"] == [3 * BLOCK_CLICKS, 2 * BLOCK_CLICKS]
    assert row["unrecovered"] == 0
    assert row["by_detector"] == {"adwin": 1}
    assert "| abrupt | 0.470 (0.500; 0.940) | 40, none | 1 of 2 |" in table({"abrupt": row})


def test_steady_hits_count_alarms_and_falls_have_delays() -> None:
    """Twenty thousand steady outcomes are quiet; a fall to a sixth is found at once."""
    steady = steady_alarms(0.3, 1, 20_000)
    assert steady["outcomes"] == 20_000
    assert set(steady["false_per_million"]) == {"adwin", "page_hinkley"}
    fall = fall_delays(0.6, 0.1, 1)
    assert fall["found"]["page_hinkley"] == 1.0
    assert 0 < fall["median_delay"]["page_hinkley"] < 1000


def test_a_run_counts_honest_clicks_alone_and_is_kept_as_json() -> None:
    """Blocks add up to less than the honest clicks, and a document brings the run back."""
    stream = make_stream("click-farm", 1000, 0)
    run = follow(stream, 0)
    assert len(run.hits) == len(run.tested) == 2
    assert run.tested[0] <= BLOCK_CLICKS - run.watched_from
    assert all(
        hits <= tested <= BLOCK_CLICKS for hits, tested in zip(run.hits, run.tested, strict=True)
    )
    assert sum(run.tested) > 0
    assert Run.read(json.loads(json.dumps(run.document()))) == run


def test_finished_pieces_are_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second call takes all pieces from the file; other settings are refused."""
    calls = []

    def fake(stream: object, seed: int) -> Run:
        calls.append(seed)
        return run_with([0.5] * 4, [(1100, "adwin")])

    monkeypatch.setattr(command, "follow", fake)
    out = tmp_path / "drift.json"
    given = ["--out", str(out), "--scenario", "abrupt", "--clicks", "2000"]
    command.main([*given, "--seeds", "1"])
    assert calls == [0, 0]  # the scenario and its twin
    command.main([*given, "--seeds", "1"])
    assert len(calls) == 2
    command.main([*given, "--seeds", "2"])
    assert calls[2:] == [1, 1]
    assert json.loads(out.read_text())["summary"]["scenarios"]["abrupt"]["delays"] == [100, 100]
    with pytest.raises(SystemExit, match="name another file"):
        command.main(["--out", str(out), "--clicks", "3000"])
    assert "| abrupt |" in capsys.readouterr().out
