"""The status tells what goes through, what is behind, and what needs somebody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.metrics.registry import Metrics
from consumers.roles.serve import status_board
from consumers.runtime.health import HealthServer
from tests.consumers.roles.serve.conftest import filled
from tests.consumers.serve_world import EDGES, ITEMS, Reply, World
from tests.consumers.views import view_of


def alarms(reply: Reply) -> list[str]:
    return [alarm["name"] for alarm in reply.document["alarms"]]


def says(name: str) -> Callable[[Reply], bool]:
    """Return whether an alarm is told."""
    return lambda reply: name in alarms(reply)


def test_a_service_at_work(tmp_path: Path) -> None:
    """Versions, users and topics; nobody is needed."""
    world = filled(tmp_path)
    with world.serving() as api:
        api.ready()
        found: dict[str, Any] = api.until("/v1/status", lambda r: r.document["ready"]).document
        assert (found["model_version"], found["view_number"], found["items"]) == (1, 1, 30)
        assert found["topics"]["recommendations"] == {"records": 1, "per_second": 0.0, "lag": 0}
        assert found["topics"]["clicks"]["records"] == 0
        assert found["newest_list_at"] == pytest.approx(world.clock.time(), abs=300)
        assert found["roles"] is None
        assert [one["name"] for one in found["alarms"]] == []
        assert (
            api.post("/v1/clicks", {"user_id": "u", "item_id": "i", "timestamp": 1}).status == 202
        )
        reply = api.until("/v1/status", lambda r: r.document["topics"]["clicks"]["records"] == 1)
        assert reply.document["topics"]["clicks"]["per_second"] > 0.0


def test_the_kept_models_are_listed(tmp_path: Path) -> None:
    """With what their manifests say, and which one serves; after a rollback too."""
    world = filled(tmp_path)
    world.publish_model(seed=2)
    assert world.artifacts.rollback(1) == 3
    with world.serving() as api:
        api.ready()
        found = api.get("/v1/models").document
    assert found["serving"] == 3
    assert [model["serving"] for model in found["models"]] == [False, False, True]
    assert [model["restored_from"] for model in found["models"]] == [None, None, 1]
    assert found["models"][0]["quality"] == {"hr@10": 0.25, "clicks": 7.0}
    assert found["models"][0]["clicks_learned"] == 100


def test_old_counters_are_an_alarm(tmp_path: Path) -> None:
    """And none at all, too."""
    world = World(tmp_path)
    with world.serving() as api:
        api.until("/v1/status", says("no-view"))
        world.publish_view(view_of(ITEMS, EDGES, now=world.clock.time() - 1000.0))
        api.until("/v1/status", says("view-old"))
        world.publish_view()
        api.until("/v1/status", lambda reply: not alarms(reply))


def test_a_reader_that_is_far_behind_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the position that its group has saved."""
    monkeypatch.setattr(status_board, "LAG_HIGH_RECORDS", 2)
    world = filled(tmp_path)
    clicks = world.config.log.clicks
    for _ in range(4):
        world.append(clicks, "u", b"{}")
    (partition,) = [p for p, end in world.log.end_offsets(clicks).items() if end]
    world.log.save_positions(world.config.ingest.group, clicks, {partition: 1})
    with world.serving() as api:
        reply = api.until("/v1/status", says("lag"))
        assert reply.document["topics"]["clicks"]["lag"] == 3
        texts = [alarm["text"] for alarm in reply.document["alarms"]]
        assert "ingest has 3 records of clicks still to read" in texts


def test_a_role_that_falls_silent_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has answered; its figures are told while it does."""
    monkeypatch.setattr(status_board, "SCRAPE_SECONDS", 0.05)
    world = filled(tmp_path)
    metrics = Metrics("ingest", world.clock)
    metrics.counter("gsr_ingest_clicks_total").labels("accepted").inc(7)
    server = HealthServer("127.0.0.1", 0, metrics, 10.0)
    ports = {"ingest_port": server.port, "trainer_port": 1, "publisher_port": 1}
    world.config = world.config.with_values({"serve": {"scrape_roles": True}, "http": ports})
    with world.serving() as api:
        reply = api.until("/v1/status", lambda r: r.document["roles"]["answering"] == ["ingest"])
        assert reply.document["roles"]["clicks_accepted"] == 7
        server.close()
        reply = api.until("/v1/status", says("role-silent"))
        assert "ingest does not answer" in reply.document["alarms"][0]["text"]
