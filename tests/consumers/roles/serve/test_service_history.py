"""What happened and how good lists were: noted once, bounded."""

from consumers.roles.serve.service_answers import Alarm, ModelFacts, RoleStatus, Status
from consumers.roles.serve.service_history import ServiceHistory


def status(
    at: float, *, alarms: list[Alarm] | None = None, roles: RoleStatus | None = None
) -> Status:
    return Status(
        generated_at=at,
        ready=True,
        model_version=1,
        model_created_at=1.0,
        view_number=1,
        view_created_at=1.0,
        items=1,
        users=1,
        store_bytes=1,
        newest_list_at=None,
        newest_click_at=None,
        topics={},
        roles=roles,
        alarms=alarms or [],
    )


def roles(
    *, drift: int = 0, tested: int = 10, answering: tuple[str, ...] = ("trainer",)
) -> RoleStatus:
    return RoleStatus(
        answering=list(answering),
        clicks_accepted=tested,
        lists_sent=0,
        drift_alarms=drift,
        clicks_learned=0,
        clicks_tested=tested,
        hit_rate_at_10={"joint": 0.3, "graph": 0.2, "popularity": 0.1},
        ndcg_at_10={"joint": 0.2, "graph": 0.1, "popularity": 0.05},
        served_hit_rate=None,
        click_to_list_seconds_p50=None,
        click_to_list_seconds_p99=None,
    )


def model(version: int, restored_from: int | None = None) -> ModelFacts:
    return ModelFacts(
        version=version,
        created_at=100.0 + version,
        bytes=1,
        serving=False,
        restored_from=restored_from,
    )


def kinds(history: ServiceHistory) -> list[str]:
    return [event.kind for event in history.events().events]


def test_models_are_told_once() -> None:
    """When they were made, newest first; one that was brought back as a rollback."""
    history = ServiceHistory(5.0)
    history.note(status(200.0), [model(1), model(2)])
    history.note(status(201.0), [model(2), model(3, restored_from=1)])
    history.note(status(202.0), [model(3, restored_from=1)])
    events = history.events().events
    assert [(event.kind, event.at, event.model_version) for event in events] == [
        ("rollback", 103.0, 3),
        ("promotion", 102.0, 2),
        ("promotion", 101.0, 1),
    ]
    assert "rolled back to model 1" in events[0].text


def test_an_alarm_begins_and_ends_once() -> None:
    """Whatever its text counts meanwhile; another topic's is another one."""
    history = ServiceHistory(5.0)

    def lag(topic: str, records: int) -> Alarm:
        return Alarm(name="lag", about=topic, text=f"{topic} has {records} records")

    history.note(status(1.0, alarms=[lag("clicks", 5)]), [])
    history.note(status(2.0, alarms=[lag("clicks", 6)]), [])
    history.note(status(3.0, alarms=[lag("clicks", 7), lag("sequences", 5)]), [])
    history.note(status(4.0, alarms=[lag("sequences", 5)]), [])
    events = history.events().events
    assert [(event.at, event.kind) for event in events] == [
        (4.0, "alarm-over"),
        (3.0, "alarm"),
        (1.0, "alarm"),
    ]
    assert [event.text for event in events[:2]] == [
        "clicks has 7 records",
        "sequences has 5 records",
    ]


def test_drift_is_told_when_the_trainer_counts_more() -> None:
    """Not what it had counted before, and not when it counts anew or is away."""
    history = ServiceHistory(5.0)
    history.note(status(1.0, roles=roles(drift=3)), [])
    history.note(status(2.0, roles=roles(drift=3)), [])
    history.note(status(3.0, roles=roles(drift=0, answering=())), [])
    assert kinds(history) == []
    history.note(status(4.0, roles=roles(drift=4)), [])
    assert kinds(history) == ["drift"]
    history.note(status(5.0, roles=roles(drift=0)), [])
    assert kinds(history) == ["drift"]
    history.note(status(6.0, roles=roles(drift=1)), [])
    assert kinds(history) == ["drift", "drift"]


def test_quality_is_noted_every_few_seconds() -> None:
    """While the trainer answers and has tested anything."""
    history = ServiceHistory(5.0)
    history.note(status(0.0), [])
    history.note(status(1.0, roles=roles(tested=0)), [])
    history.note(status(2.0, roles=roles(answering=("ingest",))), [])
    assert history.quality().points == []
    for at in range(3, 16):
        history.note(status(float(at), roles=roles(tested=at)), [])
    points = history.quality().points
    assert [point.at for point in points] == [3.0, 8.0, 13.0]
    assert points[0].hit_rate_at_10["joint"] == 0.3
    assert [point.clicks_tested for point in points] == [3, 8, 13]


def test_it_is_bounded_and_spans_the_whole_time() -> None:
    """By fewer points, further apart; of events the newest stay."""
    history = ServiceHistory(1.0, most_events=5, most_points=10)
    for at in range(1000):
        alarms = [Alarm(name="lag", about="", text="x")] if at % 2 else []
        history.note(status(float(at), alarms=alarms, roles=roles()), [])
    quality = history.quality()
    assert 5 <= len(quality.points) <= 10
    assert quality.points[0].at == 0.0
    assert quality.points[-1].at > 999.0 - 2 * quality.seconds
    steps = {b.at - a.at for a, b in zip(quality.points, quality.points[1:], strict=False)}
    assert steps == {quality.seconds}
    assert [event.at for event in history.events().events] == [999.0, 998.0, 997.0, 996.0, 995.0]
