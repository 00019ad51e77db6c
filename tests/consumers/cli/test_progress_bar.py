"""Progress is shown in lines where nobody sits at a terminal."""

import pytest

from consumers.cli.progress_bar import ProgressLines, progress_bar
from consumers.runtime.progress import Progress
from stream.clock import ManualClock


def test_a_line_when_a_stage_begins_and_then_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard error, so that data stays apart."""
    clock = ManualClock(0.0)
    show = ProgressLines(clock.monotonic)
    for second in range(21):
        show(Progress(stage="reading", done=second, total=0))
        clock.sleep(1.0)
    show(Progress(stage="learning", done=0, total=0))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == ["reading: 0", "reading: 10", "reading: 20", "learning: 0"]


def test_a_line_says_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Share, rate, time left and note, as far as there are any."""
    with progress_bar() as show:
        show(
            Progress(
                stage="learning",
                done=2500,
                total=10_000,
                events_per_second=1234.5,
                seconds_left=6.1,
                note="hr@10 0.3",
            )
        )
    line = "learning: 2,500 of 10,000 (25%), 1,234 events/s, 6 s left, hr@10 0.3\n"
    assert capsys.readouterr().err == line
