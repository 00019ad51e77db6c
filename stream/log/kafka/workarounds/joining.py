"""Joins of a group that end between two polls.

kafka-python goes on joining a group while nobody polls, but throws the result away if it comes
then, and joins once more at the next poll: each time all members start over. A member that works
between short polls may so never get its partitions, and leaves the others no peace. Here, a result
waits until somebody polls for it.

And where a leader joins because the topic changed, kafka-python forgets why it does so as soon as
it has given the partitions out. If its poll ends just then, no later one asks for the result: it
reads nothing and sends no heartbeat until the session times out. Here, a join that was begun is
needed until it is done.

And a static member that led its group, went away and comes back is the leader still, but is not
told so; kafka-python lets only leaders watch whether the topic has changed, so then nobody would.
Here, every static member watches: the broker turns away those whose word does not count.
"""

from typing import Any, Final

from kafka import KafkaConsumer

_LOOK_SECONDS: Final = 0.001


class JoinKeeper:
    """Holds back the end of a consumer's join until it is waited for.

    Parameters
    ----------
    coordinator
        kafka-python's, of one consumer; only this one is changed.
    """

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator
        self._waiting = 0
        self._wait = coordinator.join_group_async
        self._join = coordinator._do_join_and_sync_async  # noqa: SLF001 - no public way
        self._is_needed = coordinator.need_rejoin
        coordinator.need_rejoin = self._needed_or_begun
        coordinator.join_group_async = self._waited_for
        coordinator._do_join_and_sync_async = self._join_kept  # noqa: SLF001 - the same

    def _needed_or_begun(self) -> bool:
        self._watch_the_topic()
        return bool(self._coordinator.rejoining or self._is_needed())

    def _watch_the_topic(self) -> None:
        coordinator = self._coordinator
        if (
            coordinator.group_instance_id is not None
            and coordinator._assignment_snapshot is None  # noqa: SLF001 - no public way
            and coordinator.generation_if_stable() is not None
        ):
            coordinator._assignment_snapshot = coordinator._metadata_snapshot  # noqa: SLF001 - the same

    async def _waited_for(self, timeout_ms: float | None = None) -> Any:
        self._waiting += 1
        try:
            return await self._wait(timeout_ms=timeout_ms)
        finally:
            self._waiting -= 1

    async def _join_kept(self) -> Any:
        try:
            return await self._join()
        finally:
            while not self._waiting:
                await self._coordinator._net.sleep(_LOOK_SECONDS)  # noqa: SLF001 - the same


def keep_joins(consumer: KafkaConsumer) -> bool:
    """Let no join of `consumer` be lost.

    Returns
    -------
    False where the library has changed so that this cannot be done; nothing is touched then.
    """
    coordinator: Any = getattr(consumer, "_coordinator", None)
    net: Any = getattr(coordinator, "_net", None)
    parts = (
        getattr(coordinator, "join_group_async", None),
        getattr(coordinator, "_do_join_and_sync_async", None),
        getattr(coordinator, "need_rejoin", None),
        getattr(coordinator, "generation_if_stable", None),
        getattr(net, "sleep", None),
    )
    known = ("_assignment_snapshot", "_metadata_snapshot", "group_instance_id")
    if (
        not all(map(callable, parts))
        or not all(hasattr(coordinator, name) for name in known)
        or not isinstance(getattr(coordinator, "rejoining", None), bool)
    ):
        return False
    JoinKeeper(coordinator)
    return True
