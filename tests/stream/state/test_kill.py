"""Killed at any moment, a state ends with the bytes of one that was left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stream.clock import SystemClock
from stream.state.check import check
from stream.state.dump import dump
from stream.state.store import PartitionStore
from tests.stream.state.click_stories import RULES, watermark_after
from tests.stream.state.endless_ingest import CONFIG, RECORDS, story

KILLS = 5
CHECKOUT = Path(__file__).resolve().parents[3]


def start_ingest(directory: Path, seed: int, *stop: int) -> subprocess.Popen[str]:
    arguments = [str(directory), *map(str, (seed, *stop))]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stream.state.endless_ingest", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, "NUMBA_NUM_THREADS": "1"},
    )


@pytest.mark.slow
def test_kill_9_leaves_no_trace(tmp_path: Path) -> None:
    """After every kill the state agrees with itself; at the end it equals the quiet one's."""
    rng = np.random.default_rng()
    directory = tmp_path / "killed"
    for seed in range(KILLS):
        # Each process has its part of the story, so that however late the kill is, it hits one.
        stop = RECORDS * (seed + 1) // (KILLS + 1)
        with start_ingest(directory, seed, stop) as process:
            assert process.stdout is not None
            lines = int(rng.integers(1, 15))
            told = [line for _, line in zip(range(lines), process.stdout, strict=False)]
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
        store = PartitionStore.open(directory, 0, CONFIG, RULES, SystemClock())
        assert store.next_offset >= (int(told[-1]) if told else 0)
        store.close()
        assert check(directory) == []
    with start_ingest(directory, 1000) as process:
        process.communicate(timeout=120)
    assert process.returncode == 0

    quiet = PartitionStore.open(tmp_path / "quiet", 0, CONFIG, RULES, SystemClock())
    quiet.apply(story(), watermark_after(story(), RECORDS), RECORDS)
    quiet.flush()
    quiet.close()
    assert list(dump(directory)) == list(dump(tmp_path / "quiet"))
