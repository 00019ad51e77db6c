"""CPU time and peak memory of this process."""

from consumers.runtime.usage import process_usage


def test_memory_is_in_bytes() -> None:
    """Whatever the unit in which the system counts: an interpreter with numpy takes megabytes."""
    assert 2**24 < process_usage().peak_memory_bytes < 2**40


def test_processor_time_is_spent_by_work() -> None:
    """In seconds of all threads together."""
    before = process_usage().cpu_seconds
    while process_usage().cpu_seconds == before:
        sum(range(1000))
    assert process_usage().cpu_seconds > before > 0.0
