"""The publisher counts each click once, goes on after a restart, and stays within its limits."""

from pathlib import Path

import pytest
from prometheus_client.samples import Sample

from consumers.metrics.catalogue.served import MODELS, OUTCOMES, POSITIONS, SERVED_REASONS
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution import served_clicks, served_measures
from consumers.roles.publisher.attribution.replaced_lists import ReplacedLists
from consumers.roles.publisher.attribution.served_clicks import ServedClicks, served_group
from consumers.roles.publisher.role import PublisherRole
from consumers.roles.publisher.user_table import UserTable
from stream.errors import LogUnavailableError
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import World


class Clicked(World):
    """A publisher's world in which the clicks themselves are on their topic too."""

    def append(self, user: str, value: bytes | None) -> int:
        """Append a record of `clicks`; return its offset."""
        writer = self.log.writer(self.config.log.clicks)
        return writer.append([Outgoing(user.encode(), value)])[0][1]

    def visit(self, user: str, item: str, **fields: object) -> int:
        """Append a click and, as ingest would, the sequence that it leads to."""
        value = encode_click(user, item, self.clock.time(), **fields)  # type: ignore[arg-type]
        self.offset = self.append(user, value) - 1
        return self.click(user, item)

    def counts(self) -> dict[str, float]:
        """Return clicks by outcome."""
        name = "gsr_served_clicks_total"
        return {
            outcome: sum(
                self.value(name, outcome=outcome, reason=reason) for reason in SERVED_REASONS
            )
            for outcome in OUTCOMES
        }

    def hits(self) -> dict[tuple[str, str], float]:
        """Return hits by position and reason, where there are any."""
        name = "gsr_served_hits_total"
        found = {
            (position, reason): self.value(name, position=position, reason=reason)
            for position in POSITIONS
            for reason in SERVED_REASONS[:-1]
        }
        return {labels: value for labels, value in found.items() if value}


@pytest.fixture
def world(tmp_path: Path) -> Clicked:
    world = Clicked(tmp_path)
    world.publish_view()
    return world


@pytest.fixture
def role(world: Clicked) -> PublisherRole:
    """Start a publisher that has a view and no model."""
    role = world.role()
    world.run(role)
    return role


def outcomes(**counts: int) -> dict[str, float]:
    return {"hit": 0, "miss": 0, "unlisted": 0, "unknown": 0, **counts}


def test_clicks_are_held_against_lists(world: Clicked, role: PublisherRole) -> None:
    """First against the default list, then against one's own, by position and reason."""
    world.visit("u", "i2")
    world.run(role)
    items = world.lists()["u"].items
    world.visit("u", items[3])
    world.run(role)
    world.visit("u", "elsewhere")
    world.run(role)
    assert world.counts() == outcomes(hit=2, miss=1)
    assert world.hits() == {("2-5", "default"): 1, ("2-5", "click"): 1}
    assert world.value("gsr_served_hit_ratio") == pytest.approx(2 / 3)
    assert world.value("gsr_served_lag_records") == 0


def test_what_is_no_click_on_a_list_is_left_out(world: Clicked, role: PublisherRole) -> None:
    """Bad records, requests to forget, and events that only mark or hide an item."""
    now = world.clock.time()
    world.append("u", b"{")
    world.append("u", None)
    world.append("u", encode_click("u", "i1", now, "seen"))
    world.append("u", encode_click("u", "i1", now, "hide"))
    world.append("u", encode_click("u", "i1", now + 1e6))
    world.run(role)
    assert world.counts() == outcomes()
    world.append("u", encode_click("u", "i1", now, "purchase"))
    world.run(role)
    assert world.counts() == outcomes(hit=1)


def test_clicks_that_name_their_list(world: Clicked, role: PublisherRole) -> None:
    """The list is found by its id, also once it was replaced; another id is unknown."""
    world.visit("u", "i2")
    world.run(role)
    first = world.lists()["u"]
    world.visit("u", "elsewhere", list_id=first.made.list_id)
    world.run(role)
    assert world.lists()["u"].made.list_id != first.made.list_id
    world.visit("u", first.items[4], list_id=first.made.list_id, list_position=30)
    world.visit("u", first.items[4], list_id="of-another-shelf")
    world.run(role)
    assert world.counts() == outcomes(hit=2, miss=1, unknown=1)
    assert world.hits() == {("2-5", "default"): 1, ("21-50", "click"): 1}
    assert world.value("gsr_served_named_clicks_total") == 3


def test_a_restart_goes_on_where_it_was(world: Clicked, role: PublisherRole) -> None:
    """What came meanwhile counts against the restored lists; nothing counts twice."""
    world.visit("u", "i2")
    world.run(role)
    role.close()
    items = world.lists()["u"].items
    world.visit("u", items[0])
    again = world.role()
    world.run(again)
    assert world.counts() == outcomes(hit=1)
    assert world.hits() == {("1", "click"): 1}
    again.close()


def test_a_killed_publisher_counts_nothing_twice(world: Clicked, role: PublisherRole) -> None:
    """Its positions are those of a second ago, but the lists tell which clicks it had counted."""
    world.visit("u", "i2")
    world.run(role)
    group, clicks = served_group(world.config), world.config.log.clicks
    saved = world.log.saved_positions(group, clicks)
    world.visit("u", world.lists()["u"].items[0])
    world.run(role)
    assert world.counts() == outcomes(hit=2)
    world.log.save_positions(group, clicks, saved)
    again = world.role()
    world.run(again)
    assert world.counts() == outcomes()
    world.visit("u", world.lists()["u"].items[1])
    world.run(again)
    assert world.counts() == outcomes(hit=1)


def test_a_first_start_begins_with_the_next_click(world: Clicked) -> None:
    """What was before has nobody's lists to be held against."""
    world.append("u", encode_click("u", "i1", world.clock.time()))
    role = world.role()
    world.run(role)
    assert world.counts() == outcomes()
    assert world.value("gsr_served_lag_records") == 0


def test_users_who_had_to_leave_are_unknown(tmp_path: Path) -> None:
    """Their list is on the topic, but not in memory: that is counted, not hidden."""
    world = Clicked(tmp_path, {"kept_users": 2})
    world.publish_view()
    role = world.role()
    world.run(role)
    for user in "abc":
        world.visit(user, "i2")
        world.run(role)
    assert world.counts() == outcomes(hit=3)
    world.visit("a", "i3")
    world.run(role)
    assert world.counts() == outcomes(hit=3, unknown=1)


def test_versions_are_the_newest_three(world: Clicked, role: PublisherRole) -> None:
    """However many there have been; the clicks on their lists are all of them."""
    for version in range(6):
        world.visit("u", "i29")
        world.run(role)
        for item in (world.lists()["u"].items[0], "elsewhere"):
            world.append("u", encode_click("u", item, world.clock.time()))
        world.run(role)
        world.publish_model(seed=version)
        world.run(role)
    found = {
        model: [
            world.value(f"gsr_served_model_{name}", model=model)
            for name in ("version", "clicks", "hits")
        ]
        for model in MODELS
    }
    assert [found[model][0] for model in MODELS] == [5, 4, 3]
    assert all(found[model][1] >= 2 and found[model][2] >= 1 for model in MODELS)
    assert world.counts()["hit"] == 7  # one of them on the default list
    series = {sample.labels["model"] for sample in samples(world, "gsr_served_model_version")}
    assert series == set(MODELS)


def samples(world: World, name: str) -> list[Sample]:
    return [
        sample
        for family in world.metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    ]


def test_the_window_is_the_newest_clicks(
    world: Clicked, role: PublisherRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older ones leave the ratio, not the counters."""
    monkeypatch.setattr(served_measures, "WINDOW", 4)
    for item in ("i0", "i0", "x", "x", "x", "i0"):
        world.append(item, encode_click(item, item, world.clock.time()))
        world.run(role, 0.1)
    assert world.value("gsr_served_hit_ratio") == 1 / 4
    assert world.counts() == outcomes(hit=3, miss=3)


def test_trouble_with_clicks_holds_no_list_up(
    world: Clicked, role: PublisherRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists go on; the clicks are counted once the log is back."""

    def away(*_: object) -> None:
        raise LogUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(served_clicks, "poll_past_damage", away)
        world.visit("u", "i2")
        world.run(role)
        assert world.lists()["u"].items
        assert world.counts() == outcomes()
    world.run(role, 6.0)
    assert world.counts() == outcomes(hit=1)


def test_nothing_is_read_without_attribution(tmp_path: Path) -> None:
    """Whoever wants no second reading of clicks turns it off."""
    world = Clicked(tmp_path, {"attribution": False})
    world.publish_view()
    role = world.role()
    world.run(role)
    world.visit("u", "i2")
    world.run(role)
    role.close()
    assert world.counts() == outcomes()
    assert world.log.saved_positions(served_group(world.config), world.config.log.clicks) == {}


def user_of(partition: int) -> str:
    """Return a user whose records are in a partition."""
    return next(user for user in map(str, range(99)) if partition_of(user.encode(), 2) == partition)


def served_of(world: Clicked) -> ServedClicks:
    """Return what counts clicks, without a publisher round it."""
    users = UserTable(list_length=5)
    world.metrics = Metrics("publisher", world.clock)
    return ServedClicks(
        world.config,
        world.log,
        world.clock,
        world.metrics,
        users=users,
        replaced=ReplacedLists(users),
    )


def test_a_partition_that_moves_is_counted_on_by_its_next_owner(world: Clicked) -> None:
    """Who lets go of it saves how far that was; the other partition is counted on."""
    users = [
        next(f"u{n}" for n in range(99) if partition_of(f"u{n}".encode(), 2) == p) for p in (0, 1)
    ]
    first = served_of(world)
    first.step([0, 1])
    for user in users:
        world.append(user, encode_click(user, "i1", world.clock.time()))
    assert first.step([0, 1])
    assert world.counts() == outcomes(unlisted=2)
    first.leave(0)
    for user in users:
        world.append(user, encode_click(user, "i1", world.clock.time()))
    while first.step([1]):
        pass
    first.close()
    assert world.counts() == outcomes(unlisted=3)
    second = served_of(world)
    while second.step([0, 1]):
        pass
    second.close()
    assert world.counts() == outcomes(unlisted=1)


def test_clicks_that_left_the_log_are_passed_over(world: Clicked) -> None:
    """Nothing stops; those that are left are counted."""
    world.append("u", encode_click("u", "i1", world.clock.time()))
    partition = partition_of(b"u", 2)
    topic = world.config.log.clicks
    world.log.save_positions(served_group(world.config), topic, {partition: 0})
    served = served_of(world)
    served.step([partition])
    assert world.counts() == outcomes(unlisted=1)
    world.append("u", encode_click("u", "i1", world.clock.time()))
    world.log.set_retention(topic, seconds=10.0, size_bytes=None)
    world.clock.sleep(3600.0)
    world.log.clean(topic)
    assert world.log.start_offsets(topic)[partition] == 2
    world.append("u", encode_click("u", "i1", world.clock.time()))
    for _ in range(3):
        served.step([partition])
    assert world.counts() == outcomes(unlisted=2)
