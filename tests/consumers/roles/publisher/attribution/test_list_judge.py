"""Each click is held against the list that its user had, or it is said that nobody knows which."""

from dataclasses import dataclass

import numpy as np
import pytest

from consumers.roles.publisher.attribution.list_judge import (
    COUNTED,
    HIT,
    MISS,
    NO_REASON,
    UNKNOWN,
    UNLISTED,
    ListJudge,
    Verdicts,
)
from consumers.roles.publisher.attribution.replaced_lists import ReplacedLists
from consumers.roles.publisher.attribution.sent_defaults import DEFAULT, SentDefaults
from consumers.roles.publisher.list_numbers import with_list_id
from consumers.roles.publisher.user_table import REASONS, UserTable
from stream.clock import ManualClock
from stream.events.records.list_id import list_id
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec
from tests.consumers.roles.publisher.attribution.lists import clicks_of, give_list, naming

TOPIC = "recommendations-default"
Click = tuple[str, str, int, float]


@dataclass
class World:
    """A judge and what it knows."""

    def __post_init__(self) -> None:
        self.log = MemoryLog(ManualClock(0.0))
        self.log.create_topic(TopicSpec(name=TOPIC, compacted=True))
        self.users = UserTable(list_length=3)
        self.replaced = ReplacedLists(self.users)
        self.defaults = SentDefaults(self.log, TOPIC)
        self.defaults.follow()
        self.judge = ListJudge(self.users, self.replaced, self.defaults)

    def replace(self, user: str, items: list[str], **facts: object) -> None:
        """Give a user another list."""
        self.replaced.keep(np.array([self.users.row_of(user)]))
        give_list(self.users, user, items, **facts)  # type: ignore[arg-type]  # as it takes them

    def send_default(self, *items: str, made_at: float) -> Recommendation:
        """Put a default list on the topic."""
        record = with_list_id(
            Recommendation(
                user_id="",
                items=[ScoredItem(item, 1.0) for item in items],
                model_version=4,
                generated_at=made_at,
                reason="cold",
            )
        )
        self.log.writer(TOPIC).append([Outgoing(b"default", record.encode())])
        self.defaults.follow()
        return record

    def ask(self, *clicks: Click, named: tuple[str | None, int] = (None, 0)) -> Verdicts:
        """Judge clicks, all of which name the same list, or none."""
        return self.judge.judge(clicks_of(*clicks), naming(*[named] * len(clicks)))


@pytest.fixture
def world() -> World:
    return World()


def test_the_place_on_the_newest_list_before_the_click(world: World) -> None:
    """With reason and version of that list; another item is a miss."""
    give_list(world.users, "u", ["a", "b", "c"], made_at=10.0, click=3, version=7, reason="model")
    found = world.ask(("u", "b", 4, 11.0), ("u", "x", 5, 11.0), ("u", "a", 6, 10.0))
    assert found.outcomes.tolist() == [HIT, MISS, HIT]
    assert found.places.tolist() == [2, 0, 1]
    assert found.reasons.tolist() == [REASONS.index("model")] * 3
    assert found.versions.tolist() == [7] * 3
    assert not found.named.any()


@pytest.mark.parametrize(("offset", "time"), [(5, 12.0), (7, 10.5)])
def test_a_list_that_is_newer_than_the_click_is_not_its(
    world: World, offset: int, time: float
) -> None:
    """Neither one that knows of the click nor one that was made after it: the one before is."""
    give_list(world.users, "u", ["a", "b"], made_at=5.0, click=2, version=1)
    world.replace("u", ["c", "d"], made_at=10.0, click=4, version=2, reason="model")
    world.replace("u", ["e", "b"], made_at=11.0, click=6, version=3)
    found = world.ask(("u", "d", offset, time))
    assert (found.outcomes[0], found.places[0], found.versions[0]) == (HIT, 2, 2)
    assert world.ask(("u", "b", 3, 6.0)).versions.tolist() == [1]
    assert world.ask(("u", "b", 7, 11.0)).versions.tolist() == [3]


def test_without_a_list_the_default_list_was_shown(world: World) -> None:
    """Also where the user's first list is newer than the click; before any there is none."""
    assert world.ask(("u", "top", 1, 9.0)).outcomes.tolist() == [UNLISTED]
    world.send_default("top", "next", made_at=10.0)
    world.send_default("next", "top", made_at=20.0)
    give_list(world.users, "v", ["x"], made_at=30.0, click=5)
    found = world.ask(("u", "top", 1, 15.0), ("v", "top", 5, 25.0), ("u", "top", 0, 9.9))
    assert found.outcomes.tolist() == [HIT, HIT, UNLISTED]
    assert found.places.tolist() == [1, 2, 0]
    assert found.reasons.tolist() == [DEFAULT, DEFAULT, NO_REASON]
    assert found.versions.tolist()[:2] == [4, 4]


def test_default_lists_from_before_the_start_are_not_known(world: World) -> None:
    """The topic is compacted: what stood there before its newest record nobody can tell."""
    world.send_default("top", made_at=10.0)
    world.defaults = SentDefaults(world.log, TOPIC)
    world.defaults.follow()
    judge = ListJudge(world.users, world.replaced, world.defaults)
    found = judge.judge(
        clicks_of(("u", "top", 1, 9.0), ("u", "top", 2, 11.0)), naming((None, 0), (None, 0))
    )
    assert found.outcomes.tolist() == [UNKNOWN, HIT]


def test_a_named_list_is_the_one_whenever_it_was_made(world: World) -> None:
    """The position that the click tells is what the user saw."""
    give_list(world.users, "u", ["a", "b"], made_at=5.0, click=2, version=1, number=11)
    world.replace("u", ["c", "d"], made_at=10.0, click=4, version=2, number=22)
    old, new = list_id(11), list_id(22)
    found = world.ask(("u", "b", 9, 50.0), ("u", "c", 9, 50.0), named=(old, 0))
    assert found.outcomes.tolist() == [HIT, MISS]
    assert found.places.tolist() == [2, 0]
    assert found.versions.tolist() == [1, 1]
    found = world.ask(("u", "d", 9, 50.0), ("u", "a", 9, 50.0), named=(new, 40))
    assert found.places.tolist() == [40, 0]
    assert found.named.all()


def test_a_named_default_list(world: World) -> None:
    """It may be named like any other."""
    record = world.send_default("top", "next", made_at=10.0)
    world.send_default("next", made_at=20.0)
    found = world.ask(("u", "next", 1, 30.0), named=(record.list_id, 0))
    assert (found.outcomes[0], found.places[0], found.reasons[0]) == (HIT, 2, DEFAULT)


@pytest.mark.parametrize("text", ["", "shelf-3", "0" * 16, list_id(99)])
def test_a_list_that_is_none_of_the_users_is_unknown(world: World, text: str) -> None:
    """Even where the list that the time tells is known: the click says that it was another."""
    give_list(world.users, "u", ["a"], made_at=5.0, number=0)
    give_list(world.users, "v", ["a"], made_at=5.0, number=98)
    found = world.ask(("u", "a", 1, 6.0), ("v", "a", 2, 6.0), named=(text, 1))
    assert found.outcomes.tolist() == [UNKNOWN, UNKNOWN]
    assert found.places.tolist() == [0, 0]


def test_what_a_restored_list_knows_of_was_counted(world: World) -> None:
    """The process before this one counted the click before it sent the list."""
    give_list(world.users, "u", ["a"], made_at=10.0, click=5, restored=True)
    found = world.ask(("u", "a", 5, 9.0), ("u", "a", 6, 9.0), ("u", "a", 6, 11.0))
    assert found.outcomes.tolist() == [COUNTED, UNKNOWN, HIT]
    world.replace("u", ["b"], made_at=20.0, click=9, number=33)
    found = world.ask(("u", "a", 5, 9.0), ("u", "a", 6, 9.0), ("u", "a", 9, 11.0))
    assert found.outcomes.tolist() == [COUNTED, UNKNOWN, HIT]
    found = world.ask(("u", "b", 5, 9.0), named=(list_id(7), 0))
    assert found.outcomes.tolist() == [COUNTED]


def test_lists_that_had_to_leave_are_unknown(world: World) -> None:
    """Never taken for the default list, nor for a miss."""
    world.send_default("a", made_at=0.0)
    world.replaced = ReplacedLists(world.users, limit_bytes=1)
    world.judge = ListJudge(world.users, world.replaced, world.defaults)
    give_list(world.users, "u", ["a"], made_at=5.0, click=2)
    world.replace("u", ["b"], made_at=10.0, click=4)
    assert len(world.replaced) == 0
    assert world.ask(("u", "a", 3, 6.0)).outcomes.tolist() == [UNKNOWN]
    world.users.complete = False
    give_list(world.users, "back", ["a"], made_at=20.0, click=9)
    found = world.ask(("gone", "a", 3, 6.0), ("back", "a", 9, 6.0), ("back", "a", 10, 21.0))
    assert found.outcomes.tolist() == [UNKNOWN, UNKNOWN, HIT]


def test_a_withdrawn_list_counts_no_more(world: World) -> None:
    """The user is as one who never had a list."""
    give_list(world.users, "u", ["a"], made_at=5.0, click=2)
    world.replace("u", ["b"], made_at=10.0, click=4)
    world.replaced.forget("u")
    world.users.clear_list(world.users.row_of("u"))
    assert len(world.replaced) == 0
    assert world.ask(("u", "b", 5, 11.0)).outcomes.tolist() == [UNLISTED]
    give_list(world.users, "u", ["c"], made_at=20.0, click=8)
    assert world.ask(("u", "c", 9, 21.0)).outcomes.tolist() == [HIT]


def test_no_clicks_are_no_verdicts(world: World) -> None:
    """An empty batch is fine."""
    assert len(world.ask().outcomes) == 0
