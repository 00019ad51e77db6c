"""Records at hand stay within their limit."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.roles.publisher.sequence_cache import ROW_BYTES, SequenceCache


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 400)), min_size=1, max_size=60
    )
)
def test_the_newest_are_there_and_the_limit_holds(steps: list[tuple[bool, int, int]]) -> None:
    """What is here is the newest run of what was kept and not dropped, as long as it fits."""
    limit = 2000
    records, expected = SequenceCache(limit), dict[int, bytes]()
    for keep, row, size in steps:
        expected.pop(row, None)
        if keep:
            value = bytes(size)
            records.keep(row, value)
            expected[row] = value
            while sum(len(v) + ROW_BYTES for v in expected.values()) > limit:
                expected.pop(next(iter(expected)))
        else:
            records.drop([row])
        assert [records.get(r) for r in range(10)] == [expected.get(r) for r in range(10)]
        assert len(records) == len(expected)
        assert records.nbytes == sum(len(v) + ROW_BYTES for v in expected.values()) <= limit


def test_a_record_larger_than_the_limit_is_not_kept() -> None:
    records = SequenceCache(100)
    records.keep(1, bytes(200))
    assert records.get(1) is None
    assert records.nbytes == 0
