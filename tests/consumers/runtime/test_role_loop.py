"""The loop of a role."""

import threading
from collections.abc import Callable, Iterator

import pytest

from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from consumers.runtime.role_loop import RoleLoop
from consumers.runtime.topic_watch import TopicWatch
from stream.clock import ManualClock
from stream.errors import LogUnavailableError, StorageFullError, UnknownTopicError
from stream.log.embedded.memory import MemoryLog


class Stop(threading.Event):
    """Is set after so many pauses, and notes how long each was to be."""

    def __init__(self, pauses: int, clock: ManualClock) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._most = pauses
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        self._clock.sleep(timeout or 0.0)
        if len(self.pauses) >= self._most:
            self.set()
        return self.is_set()


class Role:
    """Steps as it is told; counts how often it was asked for its checks, and closed."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self.step = step
        self.checked = self.closed = 0

    def checks(self) -> dict[str, bool]:
        self.checked += 1
        return {"role": True}

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def health(clock: ManualClock) -> Iterator[HealthServer]:
    server = HealthServer("127.0.0.1", 0, Metrics("ingest", clock), 60.0)
    yield server
    server.close()


@pytest.fixture
def run(clock: ManualClock, health: HealthServer) -> Callable[..., list[float]]:
    """Return what runs a role through so many pauses, and returns these."""

    def running(role: Role, pauses: int, watch: TopicWatch | None = None) -> list[float]:
        log, stop = MemoryLog(clock), Stop(pauses, clock)
        loop = RoleLoop(role, log, clock, Metrics("ingest", clock), health)
        loop.run(stop, watch or TopicWatch(log, (), "clicks", clock))
        return stop.pauses

    return running


def failing(*errors: Exception | None) -> Callable[[], bool]:
    """Return steps that raise these errors, one after another; None: a step that works."""
    left = iter(errors)

    def step() -> bool:
        error = next(left, None)
        if error is not None:
            raise error
        return False

    return step


def test_pauses_grow_with_trouble_in_a_row(run: Callable[..., list[float]]) -> None:
    """Up to a limit; after one step that works they are short again."""
    away = LogUnavailableError("away")
    role = Role(failing(*[away] * 8, None, away))
    idle = 0.005
    pauses = run(role, 10)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, idle, 0.1]
    assert role.closed == 1


def test_trouble_that_does_not_pass_ends_it(
    run: Callable[..., list[float]], health: HealthServer
) -> None:
    """The role is closed, and was not ready from the moment on that it failed."""
    role = Role(failing(StorageFullError("full")))
    with pytest.raises(StorageFullError):
        run(role, 1)
    assert role.closed == 1
    assert not health.ready()["not_stopping"]


def test_checks_are_asked_for_now_and_then(run: Callable[..., list[float]]) -> None:
    """Before the first step, and then four times a second however fast it steps."""
    role = Role(lambda: False)
    pauses = run(role, 200)
    assert sum(pauses) == pytest.approx(1.0)
    assert role.checked == 1 + 4


def test_a_topic_that_is_gone_ends_it(run: Callable[..., list[float]], clock: ManualClock) -> None:
    """However well the role itself goes on."""

    class Gone(TopicWatch):
        def check(self) -> None:
            raise UnknownTopicError("clicks is gone")

    role = Role(lambda: False)
    with pytest.raises(UnknownTopicError):
        run(role, 5, Gone(MemoryLog(clock), (), "clicks", clock))
    assert role.closed == 1
