"""The batch decoder and kafka-python's own agree on right and on damaged bytes."""

import pytest

from benchmarks.decoder_fuzz import Outcome, compare, run


def test_both_decoders_agree_on_seeded_inputs() -> None:
    """Enough inputs that each kind of outcome is among them."""
    outcomes = run(seed=20, inputs=range(2000), seconds=0)
    assert outcomes["inputs"] == 2000
    assert outcomes["both read"] > 500
    assert outcomes["both refused"] > 200
    assert outcomes["records"] > 5000


ROW = (0, 0, b"k", b"v", ())
OTHER = (0, 0, b"k", b"w", ())


@pytest.mark.parametrize(
    ("mine", "other", "difference"),
    [
        (Outcome([ROW], 1), Outcome([ROW], 1), None),
        (Outcome([ROW], 1), Outcome([OTHER], 1), "other records"),
        (Outcome([ROW], 1), Outcome([], 1), "more or fewer records"),
        (Outcome([ROW], 1), Outcome([ROW], 2), "another position"),
        (Outcome([ROW], 1), Outcome([ROW], 1, "damaged"), "only one refuses"),
        (Outcome([ROW], 1, "damaged"), Outcome([ROW], 1), "only one refuses"),
        (Outcome([ROW], 1, "offsets do not grow"), Outcome([ROW, ROW], 1), None),
        (Outcome([ROW, ROW], 1, "offsets do not grow"), Outcome([ROW], 1), "only one refuses"),
        (Outcome([], 1, "damaged"), Outcome([ROW], 1, "damaged", begun=0), None),
        (Outcome([], 1, "damaged"), Outcome([ROW], 1, "damaged", begun=1), "another batch refused"),
        (Outcome([ROW], 1, "damaged"), Outcome([], 1, "damaged"), "another batch refused"),
    ],
)
def test_the_comparison_finds_differences(
    mine: Outcome, other: Outcome, difference: str | None
) -> None:
    """A fuzzer whose comparison sees nothing would pass as well."""
    assert compare(mine, other) == difference
