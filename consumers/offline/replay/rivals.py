"""Baselines of a replay by name, and which of them are measured unless one says otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from consumers.errors import ConfigError
from gsr.baselines.counter_lists import CounterLists
from gsr.baselines.counters import HALF_LIVES, MIXES, BaselineCounters
from gsr.baselines.interface import Baseline
from gsr.baselines.item_to_item import ItemToItem
from gsr.baselines.lists import ListMaker
from gsr.baselines.ranker.ranker import CounterRanker
from gsr.baselines.session_knn import SessionKnn
from gsr.baselines.together import BaselinesTogether
from gsr.loop.baseline_choice import BaselineChoice

COUNTERS: Final = "counters"
SESSION_KNN: Final = "session-knn"
ITEM_TO_ITEM: Final = "item-to-item"
RANKER: Final = "ranker"
FROZEN: Final = "frozen"
RETRAINED: Final = "retrained"

DEFAULT: Final = (COUNTERS, SESSION_KNN, ITEM_TO_ITEM, RANKER)
"""Those that cost less than the model."""

KNOWN: Final[Mapping[str, str]] = {
    COUNTERS: "decayed popularity, the item graph, and their best fixed mix",
    SESSION_KNN: "V-SKNN and VSTAN: sessions that share items with the user's, recent ones first",
    ITEM_TO_ITEM: "cosine item-kNN and sequential rules, over ten clicks",
    RANKER: "a small network over all that is counted, learned online, without encoders",
    FROZEN: "the joint model as it was after the warm-up, on counters that go on",
    RETRAINED: "the joint model learned anew from all clicks now and then, in processes beside",
}
"""Name to what it is."""

ALL: Final = tuple(name for name in KNOWN if name != RETRAINED)
"""Those that a replay measures by itself; what takes processes and hours has to be named."""

_MAKERS: Final[Mapping[str, Callable[[], Baseline]]] = {
    COUNTERS: lambda: BaselineCounters(HALF_LIVES, MIXES),
    SESSION_KNN: SessionKnn,
    ITEM_TO_ITEM: ItemToItem,
    RANKER: CounterRanker,
}

IN_LOOP: Final = tuple(_MAKERS)
"""Those that are measured inside of a learning loop, click by click."""

LISTED: Final = ("popularity@86400", "graph@86400", "mix@86400:14400:0.5")
"""Counters whose lists are watched; which ones are best is not known before the end."""


def list_makers(baselines: BaselinesTogether) -> dict[str, ListMaker]:
    """Return what makes the lists of `LISTED`, where counters are measured."""
    if COUNTERS not in baselines.seconds:
        return {}
    counters = baselines[COUNTERS]
    if not isinstance(counters, BaselineCounters):
        raise TypeError(f"{COUNTERS} are {type(counters).__name__}")
    return {column: CounterLists(counters, column) for column in LISTED}


@dataclass(frozen=True, slots=True)
class BaselineSelection:
    """Which baselines to measure, and on which clicks to choose their settings.

    Parameters
    ----------
    names
        Of `KNOWN`.
    choice
        "best": the half-life and mix of each baseline are the best over the scored clicks
        themselves, which favours the baselines; "warmup": the best over the warm-up.

    Examples
    --------
    >>> BaselineSelection.parse("warmup")
    BaselineSelection(names=('counters', 'session-knn', 'item-to-item', 'ranker'), choice='warmup')
    >>> BaselineSelection.parse("frozen, warmup")
    BaselineSelection(names=('frozen',), choice='warmup')
    >>> BaselineSelection.parse("all, retrained").names[-2:], "retrained" in ALL
    (('frozen', 'retrained'), False)
    >>> BaselineSelection.parse("none")
    BaselineSelection(names=(), choice='best')
    """

    names: tuple[str, ...] = DEFAULT
    choice: BaselineChoice = "best"

    @classmethod
    def parse(cls, text: str) -> "BaselineSelection":
        """Read names with commas between them; "default", "all", "none" and "warmup" may be there.

        "all" is all that need nothing beside the replay: see `ALL`.

        Raises
        ------
        ConfigError
            There is no such baseline.
        """
        given = [word.strip() for word in text.split(",") if word.strip()]
        groups = {"default": DEFAULT, "all": ALL, "none": ()}
        choice: BaselineChoice = "warmup" if "warmup" in given else "best"
        words = [word for word in given if word != "warmup"] or ["default"]
        unknown = [word for word in words if word not in KNOWN and word not in groups]
        if unknown:
            raise ConfigError(
                f"no such baseline: {', '.join(unknown)}; there are {', '.join(KNOWN)}, and "
                "default, all, none; warmup chooses half-lives and mixes on the warm-up"
            )
        asked = {name for word in words for name in groups.get(word, (word,))}
        return cls(tuple(name for name in KNOWN if name in asked), choice)

    def baselines(self, monotonic: Callable[[], float]) -> BaselinesTogether:
        """Return those that are measured inside of a learning loop."""
        made = {name: _MAKERS[name]() for name in self.names if name in _MAKERS}
        return BaselinesTogether(made, monotonic)
