"""A seeded schedule of kills and pauses, of role processes and of brokers, and its execution."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from tests.crash.fleet import Fleet
from tests.kafka_broker import KafkaCluster

_LOGGER = logging.getLogger(__name__)

Kind = Literal["kill", "pause"]
BROKER_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Disruption:
    """One thing that goes wrong.

    Parameters
    ----------
    kind
        Killed and started again after `seconds`, or paused for so long.
    target
        A member's name, or ``broker-N``.
    seconds
        How long it is away.
    calm_seconds
        How long nothing else goes wrong after it is back.
    """

    kind: Kind
    target: str
    seconds: float
    calm_seconds: float


def schedule(
    rng: np.random.Generator,
    count: int,
    members: list[str],
    brokers: int,
    *,
    session_seconds: float,
    longest_calm_seconds: float,
) -> list[Disruption]:
    """Return `count` disruptions; half of the pauses outlast the group's session."""
    plan: list[Disruption] = []
    for _ in range(count):
        kind: Kind = "kill" if rng.random() < 0.5 else "pause"
        if brokers and rng.random() < BROKER_SHARE:
            target = f"broker-{rng.integers(brokers)}"
        else:
            target = str(rng.choice(members))
        if kind == "kill":
            seconds = float(rng.uniform(0.0, 0.5 * session_seconds))
        elif rng.random() < 0.5:
            seconds = float(rng.uniform(0.2, 0.5 * session_seconds))
        else:
            seconds = float(rng.uniform(1.2 * session_seconds, 2.0 * session_seconds))
        plan.append(
            Disruption(kind, target, seconds, float(rng.uniform(0.0, longest_calm_seconds)))
        )
    return plan


@dataclass
class Disruptor:
    """Carries a schedule out.

    Parameters
    ----------
    fleet, cluster
        What is disrupted.
    """

    fleet: Fleet
    cluster: KafkaCluster | None
    done: Counter[str] = field(default_factory=Counter)

    def run(self, plan: list[Disruption], said: Callable[[str], None] = lambda _: None) -> None:
        """Carry out `plan`, starting again who ends by itself."""
        for number, one in enumerate(plan, start=1):
            said(f"{number}/{len(plan)}: {one.kind} {one.target} for {one.seconds:.1f} s")
            if one.target.startswith("broker-"):
                self._disrupt_broker(one)
            else:
                self._disrupt_member(one)
            self.done[f"{one.kind} {one.target}"] += 1
            self._wait(one.calm_seconds)

    def _disrupt_member(self, one: Disruption) -> None:
        member = self.fleet.members[one.target]
        if one.kind == "kill":
            member.kill()
            self._wait(one.seconds)
            member.start()
        else:
            member.pause()
            self._wait(one.seconds)
            member.resume()

    def _disrupt_broker(self, one: Disruption) -> None:
        assert self.cluster is not None
        index = int(one.target.rpartition("-")[2])
        node = self.cluster.nodes[index]
        if one.kind == "kill":
            node.kill()
            self._wait(one.seconds)
            self.cluster.restart(index)
        else:
            node.pause()
            self._wait(one.seconds)
            node.resume()

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self.fleet.look_after()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.2, left))
