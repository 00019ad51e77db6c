"""Joins of a group that end between two polls.

Wrong: kafka-python goes on joining a group while nobody polls, but throws the result away if it
    comes then, and joins once more at the next poll: each time all members start over. A member
    that works between short polls may so never get its partitions, and leaves the others no peace.
Issue: not reported.
Probe: `fits`; elsewhere joins are lost where polls are short.
Until: a join's result waits until somebody polls for it, as here.
"""

from typing import Any, Final

from kafka import KafkaConsumer

from stream.log.kafka.cluster.library import has_all, warn_unfit

_LOOK_SECONDS: Final = 0.001


def hold_joins(consumer: KafkaConsumer) -> None:
    """Hold back the ends of joins of this one consumer until somebody polls for them."""
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if not fits(coordinator):
        warn_unfit("unpolled_joins", "members that poll seldom may join again and again")
        return
    wait, join = coordinator.join_group_async, coordinator._do_join_and_sync_async  # noqa: SLF001 - no public way
    waiting = 0

    async def wait_for(timeout_ms: float | None = None) -> Any:
        nonlocal waiting
        waiting += 1
        try:
            return await wait(timeout_ms=timeout_ms)
        finally:
            waiting -= 1

    async def join_and_hold() -> Any:
        try:
            return await join()
        finally:
            while not waiting:
                await coordinator._net.sleep(_LOOK_SECONDS)  # noqa: SLF001 - the same

    coordinator.join_group_async = wait_for
    coordinator._do_join_and_sync_async = join_and_hold  # noqa: SLF001 - the same


def fits(coordinator: Any) -> bool:
    """Return whether `coordinator` joins where that is replaced."""
    joins = has_all(coordinator, "join_group_async", "_do_join_and_sync_async")
    return joins and has_all(getattr(coordinator, "_net", None), "sleep")
