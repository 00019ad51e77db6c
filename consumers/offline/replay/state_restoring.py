"""The walk that fills freshly made objects with a saved state."""

import importlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import byte_bounds

from consumers.offline.replay.state_saving import ALIGNMENT, OURS, Node, type_name

FURTHER_KINDS: Final[dict[str, Callable[..., Any]]] = {}
"""Kind → what restores it, of other libraries' types, entered where these are used; called with the
walk, what stands there now, and the parts."""


class Restoring:
    """One walk.

    Parameters
    ----------
    stored
        Name to array.

    Attributes
    ----------
    stored
        The same.
    """

    def __init__(self, stored: Mapping[str, npt.NDArray[Any]]) -> None:
        self.stored = stored
        self._known: dict[int, Any] = {}
        self._memories: dict[str, npt.NDArray[np.uint8]] = {}
        self._kinds: Final[Mapping[str, Callable[..., Any]]] = {
            "array": self._array,
            "generator": self._generator,
            "dict": self._dict,
            "list": self._list,
            "set": lambda made, nodes: set(self._items(nodes, made)),
            "tuple": lambda made, nodes: tuple(self._items(nodes, made)),
            "deque": self._deque,
            "named tuple": lambda made, name, nodes: type_of(name)(*self._items(nodes, made)),
            "kept": lambda made: made,
            **{kind: partial(restored, self) for kind, restored in FURTHER_KINDS.items()},
        }

    def value(self, node: Node, made: Any) -> Any:
        """Return what `node` says; `made` is what stands there now, and is filled where it can."""
        if not isinstance(node, list):
            return node
        kind, *parts = node
        if kind == "scalar":
            return self.stored[parts[0]][()]
        if kind == "again":
            return self._known[parts[0]]
        number = parts.pop()
        if kind == "object":
            name, attributes = parts
            return self._object(made, name, attributes, number)
        found = self._known[number] = self._kinds[kind](made, *parts)
        return found

    def _array(self, _: Any, name: str, place: int, view: list[Any]) -> npt.NDArray[Any]:
        described, offset, shape, strides = view
        dtype = np.lib.format.descr_to_dtype(_as_description(described))
        memory = self._memory(name, place)
        found: npt.NDArray[Any] = np.ndarray(tuple(shape), dtype, memory, offset, tuple(strides))
        return found

    def _memory(self, name: str, place: int) -> npt.NDArray[np.uint8]:
        """Return memory that lies as it did against cache lines; each is there once."""
        if name not in self._memories:
            stored = self.stored[name]
            room = np.empty(len(stored) + 2 * ALIGNMENT, dtype=np.uint8)
            start = (place - byte_bounds(room)[0]) % ALIGNMENT
            self._memories[name] = room[start : start + len(stored)]
            self._memories[name][:] = stored
        return self._memories[name]

    @staticmethod
    def _generator(made: Any, state: Mapping[str, Any]) -> Any:
        made.bit_generator.state = state
        return made

    def _dict(self, made: Any, pairs: list[list[Node]]) -> dict[Any, Any]:
        before = made if isinstance(made, dict) else {}
        found = {}
        for key_node, node in pairs:
            key = self.value(key_node, None)
            found[key] = self.value(node, before.get(key))
        if isinstance(made, dict):  # others may hold it too
            made.clear()
            made.update(found)
            return made
        return found

    def _list(self, made: Any, nodes: list[Node]) -> list[Any]:
        items = self._items(nodes, made)
        if isinstance(made, list):  # others may hold it too
            made[:] = items
            return made
        return items

    def _deque(self, made: Any, nodes: list[Node]) -> deque[Any]:
        most = made.maxlen if isinstance(made, deque) else None
        return deque(self._items(nodes, made), maxlen=most)

    def _items(self, nodes: list[Node], made: Any) -> list[Any]:
        before = list(made) if isinstance(made, list | tuple | deque) else []
        before += [None] * (len(nodes) - len(before))
        return [self.value(node, one) for node, one in zip(nodes, before, strict=False)]

    def _object(self, made: Any, name: str, parts: Mapping[str, Node], number: int) -> Any:
        if made is None or type_name(made) != name:
            made = object.__new__(type_of(name))
        self._known[number] = made  # its parts may point back at it
        for attribute, node in parts.items():
            before = getattr(made, attribute, None)
            after = self.value(node, before)
            if after is not before:
                object.__setattr__(made, attribute, after)
        return made


def type_of(name: str) -> Any:
    """Return one of our classes.

    Raises
    ------
    ValueError
        It is not ours.
    """
    module, _, qualified = name.partition(":")
    if not module.startswith(OURS) or "." in qualified:
        raise ValueError(f"{name} is no class of ours")
    found = getattr(importlib.import_module(module), qualified)
    if not isinstance(found, type):
        raise ValueError(f"{name} is no class")  # noqa: TRY004 - of the file, not of a caller
    return found


def _as_description(described: Any) -> Any:
    """Return a dtype's description with the tuples that JSON made lists of."""
    if isinstance(described, str):
        return described
    return [(name, _as_description(kind), *map(tuple, shape)) for name, kind, *shape in described]
