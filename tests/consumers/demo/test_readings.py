"""The demo's data from the topics: one shopper."""

from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from consumers.demo.readings import ShopperWindow
from stream.clock import ManualClock
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing
from tests.consumers.titles import store_titles


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


def sequence(user: str, items: list[str]) -> Outgoing:
    record = SequenceRecord(
        user_id=user,
        items=items,
        times=[1.0] * len(items),
        events=["click"] * len(items),
        source_partition=0,
        source_offset=1,
        next_offset=2,
        last_click_at=1.0,
        accepted_at=1.0,
    )
    return Outgoing(key=user.encode(), value=record.encode())


def listing(user: str, items: list[str]) -> Outgoing:
    record = Recommendation(
        user_id=user,
        items=[ScoredItem(item, 1.0) for item in items],
        model_version=1,
        generated_at=2.0,
        reason="click",
        source_offset=1,
    )
    return Outgoing(key=user.encode(), value=record.encode())


@pytest.fixture
def log(clock: ManualClock) -> MemoryLog:
    log = MemoryLog(clock)
    for spec in GsrConfig().log.topics():
        log.create_topic(spec)
    return log


def shown(window: ShopperWindow) -> tuple[str, list[str], str] | None:
    """Return the user, what they clicked, and the first item that they get."""
    shopper = window.shopper
    if shopper is None:
        return None
    made = shopper.recommendation
    return made.user_id, shopper.sequence.items, made.items[0].item_id


def test_a_shopper_is_shown_for_a_while(log: MemoryLog, clock: ManualClock) -> None:
    """The newest list with its clicks; another one only after some seconds."""
    log.writer("recommendations").append([listing("old", ["before"])])
    window = ShopperWindow(GsrConfig(), log, clock)
    window.look()
    assert shown(window) is None
    log.writer("sequences").append([sequence("ann", ["tea"]), sequence("bob", ["jam"])])
    log.writer("recommendations").append([listing("ann", ["cup"])])
    window.look()
    assert shown(window) == ("ann", ["tea"], "cup")
    log.writer("recommendations").append([listing("bob", ["bread"])])
    window.look()
    assert shown(window) == ("ann", ["tea"], "cup")
    clock.sleep(10.0)
    log.writer("recommendations").append([listing("bob", ["bread"])])
    window.look()
    assert shown(window) == ("bob", ["jam"], "bread")
    window.close()


def test_items_come_with_their_titles(log: MemoryLog, clock: ManualClock) -> None:
    """Those that are loaded by then."""
    config = GsrConfig()
    window = ShopperWindow(config, log, clock)
    store_titles(config, {"tea": "Green tea", "cup": "Blue cup", "jam": "Red jam"})
    log.writer("sequences").append([sequence("ann", ["tea"])])
    log.writer("recommendations").append([listing("ann", ["cup", "egg"])])
    window.look()
    assert window.shopper is not None
    assert window.shopper.titles == {"tea": "Green tea", "cup": "Blue cup"}
    window.close()
