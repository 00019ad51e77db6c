"""A search for taken-down items in the lists of users who are not kept in memory."""

import pytest

from consumers.roles.publisher.list_scan import ListScan
from consumers.roles.publisher.user_table import UserTable
from stream.clock import ManualClock
from stream.events.records.recommendation import Recommendation
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec
from tests.consumers.roles.publisher.records import list_of

NOW = 500.0


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock())
    log.create_topic(TopicSpec(name="lists", partitions=2, compacted=True))
    return log


def put(log: MemoryLog, one: Recommendation, partition: int = 0) -> None:
    log.writer("lists").append([Outgoing(one.user_id.encode(), one.encode(), partition=partition)])


def found(scan: ListScan) -> dict[str, list[str]]:
    """Let the scan come to its end; return user to the items that are left."""
    shortened: dict[str, list[str]] = {}
    while scan.running:
        for _, one in scan.step(NOW):
            assert (one.generated_at, one.reason) == (NOW, "items")
            shortened[one.user_id] = [item.item_id for item in one.items]
    return shortened


@pytest.fixture
def users() -> UserTable:
    return UserTable(list_length=3)


def test_lists_lose_what_was_taken_down(log: MemoryLog, users: UserTable) -> None:
    """Only those that hold it, and nothing else of them changes."""
    put(log, list_of("u", "a", "bad", "c"))
    put(log, list_of("v", "a", "c"))
    put(log, list_of("w", "bad"), partition=1)
    scan = ListScan(log, "lists", users, {0, 1})
    scan.look_for(["bad", "worse"])
    assert found(scan) == {"u": ["a", "c"], "w": []}


def test_the_newest_list_counts(log: MemoryLog, users: UserTable) -> None:
    """What stood in an earlier one was replaced."""
    put(log, list_of("u", "bad"))
    put(log, list_of("u", "a"))
    put(log, list_of("v", "a"))
    put(log, list_of("v", "bad", "b"))
    scan = ListScan(log, "lists", users, {0})
    scan.look_for(["bad"])
    assert found(scan) == {"v": ["b"]}


def test_users_in_memory_and_other_partitions_are_left_to_others(
    log: MemoryLog, users: UserTable
) -> None:
    """Each list has one that cares for it."""
    put(log, list_of("here", "bad"))
    put(log, list_of("there", "bad"), partition=1)
    users.add("here", 0)
    scan = ListScan(log, "lists", users, {0})
    scan.look_for(["bad"])
    assert found(scan) == {}


def test_a_user_who_comes_back_during_the_search_is_left_out(
    log: MemoryLog, users: UserTable
) -> None:
    """Whoever clicks meanwhile gets a new list, which must not be replaced by an old one."""
    put(log, list_of("u", "bad", "b"))
    scan = ListScan(log, "lists", users, {0})
    scan.look_for(["bad"])
    assert scan.step(NOW) == []
    users.add("u", 0)
    assert found(scan) == {}


def test_what_is_taken_down_during_a_search_is_searched_for_after_it(
    log: MemoryLog, users: UserTable
) -> None:
    """The topic is read once more, from its start."""
    put(log, list_of("u", "bad", "b"))
    put(log, list_of("v", "worse", "c"))
    scan = ListScan(log, "lists", users, {0})
    scan.look_for(["bad"])
    scan.step(NOW)
    scan.look_for(["worse"])
    assert found(scan) == {"u": ["b"], "v": ["c"]}


def test_nothing_is_searched_while_nothing_is_served(log: MemoryLog, users: UserTable) -> None:
    """Whoever serves the partitions later looks for blocked items then."""
    scan = ListScan(log, "lists", users, set())
    scan.look_for(["bad"])
    assert found(scan) == {}
    assert not scan.running
