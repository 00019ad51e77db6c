"""Finds items by how their ids, or the words of their titles, begin; the most popular first."""

import re
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.serving.item_titles import ItemTitles
from consumers.serving.recommender import Recommender
from gsr.ranker.edge_counts import popularity_counts
from gsr.ranker.features import DAY_SECONDS, nearest_scale
from gsr.ranker.popular_items import by_popularity

SEARCHED_ITEMS: Final = 10_000
"""Most popular items that are looked through; any other is found by its whole id."""

_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")


class ItemSearch:
    """Looks through the most popular items of a view; which these are is found once per view.

    Parameters
    ----------
    titles
        Of items.
    """

    def __init__(self, titles: ItemTitles) -> None:
        self._titles = titles
        self._view: object = None
        self._scale = 0
        self._rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._words: dict[str, str] = {}
        self._words_view: object = None
        self._words_generation = -1

    def find(
        self, recommender: Recommender, prefix: str, count: int
    ) -> tuple[list[tuple[str, float]], float]:
        """Return items with their popularity, and its half-life in seconds.

        The item that is called exactly `prefix` comes first, popular or not. Upper and lower case,
        and accents, make a difference in ids, and none in titles.
        """
        view, index = recommender.view, recommender.index
        if self._view is not view:
            self._follow(recommender)
        exact = index.row_of(prefix) if prefix else -1
        rows = [exact] if exact >= 0 else []
        wanted = search_words(prefix).split()
        words = self._title_words(recommender) if wanted else {}
        for row in self._rows.tolist():
            if len(rows) >= count:
                break
            item = index.item_ids[row]
            if row != exact and (
                item.startswith(prefix) or (wanted and _has_all(words.get(item, ""), wanted))
            ):
                rows.append(row)
        graph, now = view.graph, view.reference_time
        rows = rows[:count]
        counts = popularity_counts(graph, np.array(rows, dtype=np.int64), now)[:, self._scale]
        names = [index.item_ids[row] for row in rows]
        found = list(zip(names, counts.round(6).tolist(), strict=True))
        return found, float(graph.half_lives[self._scale])

    def _follow(self, recommender: Recommender) -> None:
        view = recommender.view
        graph = view.graph
        # What is popular today: shorter scales jump about, longer ones show what is gone.
        self._scale = nearest_scale(graph.half_lives, DAY_SECONDS)
        listable = np.flatnonzero(recommender.listable)
        self._rows = by_popularity(graph, listable, self._scale, SEARCHED_ITEMS)
        self._view = view

    def _title_words(self, recommender: Recommender) -> dict[str, str]:
        """Return item to the words of its title, of the items that are looked through."""
        generation = self._titles.generation
        same = generation == self._words_generation
        if not same or self._words_view is not self._view:
            # Most items are popular from one view to the next, and keep their titles.
            before = self._words if same else {}
            items = [recommender.index.item_ids[row] for row in self._rows.tolist()]
            titles = self._titles.of(item for item in items if item not in before)
            words = {item: search_words(title) for item, title in titles.items()}
            self._words = {item: before[item] for item in items if item in before} | words
            self._words_view, self._words_generation = self._view, generation
        return self._words


def search_words(text: str) -> str:
    """Return the words of a text as they are compared: small, without accents, a blank before each.

    Examples
    --------
    >>> search_words("Café-Crème, 250 g")
    ' cafe creme 250 g'
    """
    small = text.casefold()
    if not small.isascii():
        parts = unicodedata.normalize("NFKD", small)
        small = "".join(character for character in parts if not unicodedata.combining(character))
    return f" {_BETWEEN_WORDS.sub(' ', small).strip()}"


def _has_all(words: str, beginnings: list[str]) -> bool:
    """Return whether some word begins like each of `beginnings`."""
    return all(f" {beginning}" in words for beginning in beginnings)
