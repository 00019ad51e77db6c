"""Checks of partitions and offsets that callers name."""

from collections.abc import Collection, Iterable


def check_partitions(topic: str, count: int, partitions: Iterable[int]) -> None:
    """Refuse partitions that a topic of `count` partitions does not have, with a ValueError."""
    for partition in partitions:
        if not 0 <= partition < count:
            raise ValueError(f"{topic} has the partitions 0 to {count - 1}, not {partition}")


def check_assigned(topic: str, assigned: Collection[int], partitions: Iterable[int]) -> None:
    """Refuse partitions that a reader does not read, with a ValueError."""
    for partition in partitions:
        if partition not in assigned:
            raise ValueError(
                f"{topic}[{partition}] is not read here, only partitions {sorted(assigned)}"
            )


def check_offsets(offsets: Iterable[int]) -> None:
    """Refuse negative offsets, with a ValueError."""
    for offset in offsets:
        if offset < 0:
            raise ValueError(f"offset {offset} is negative")
