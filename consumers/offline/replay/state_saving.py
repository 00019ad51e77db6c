"""The walk over running objects that turns their state into JSON and arrays."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import singledispatchmethod
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.array_utils import byte_bounds

OURS: Final = ("gsr.", "consumers.")
"""Objects whose attributes are walked; a file can name no others."""

ALIGNMENT: Final = 64
"""Bytes of a cache line: memory comes back as far from the next one as it was."""

Node = Any
"""JSON values; a list ``[kind, …, number]`` for everything but plain values."""


def type_name(thing: object) -> str:
    """Return the module and the name of a type, as files name it."""
    return f"{type(thing).__module__}:{type(thing).__qualname__}"


def attributes(thing: object) -> Iterator[str]:
    """Yield the names of the attributes that hold `thing`'s state, in a fixed order."""
    for cls in type(thing).__mro__:
        for name in getattr(cls, "__slots__", ()):
            if name not in {"__dict__", "__weakref__"} and hasattr(thing, name):
                yield name
    yield from getattr(thing, "__dict__", {})


FURTHER_TYPES: Final[dict[type, Callable[["Saving", Any], list[Node]]]] = {}
"""Type → what tells its kind and parts, of other libraries, entered where these are used."""


@dataclass(slots=True)
class Saving:
    """One walk.

    Parameters
    ----------
    arrays
        Name to array, of what was walked so far.
    """

    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _held: list[object] = field(default_factory=list)
    _memories: dict[int, str] = field(default_factory=dict)

    def node(self, value: object) -> Node:
        """Return `value` as JSON, its arrays put aside; what was seen before as a reference."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return ["scalar", self.array(np.array(value))]
        if id(value) in self._seen:
            return ["again", self._seen[id(value)]]
        number = self._seen[id(value)] = len(self._seen)
        self._held.append(value)  # so that no other object gets its id
        return [*self._parts(value), number]

    def check_apart(self) -> None:
        """Refuse arrays that share memory: they would be two after the file was read.

        Raises
        ------
        TypeError
            An array shares memory with a tensor.
        """
        bounds = sorted(byte_bounds(array) for array in self.arrays.values() if array.size)
        if any(first[1] > second[0] for first, second in pairwise(bounds)):
            raise TypeError("two saved arrays share memory: a change of one would miss the other")

    @singledispatchmethod
    def _parts(self, value: object) -> list[Node]:
        """Return the kind of `value`, and what it is made of."""
        for cls in type(value).__mro__:
            if cls in FURTHER_TYPES:
                return FURTHER_TYPES[cls](self, value)
        if type(value).__module__.startswith(OURS) and not callable(value):
            parts = {name: self.node(getattr(value, name)) for name in attributes(value)}
            return ["object", type_name(value), parts]
        return ["kept"]

    @_parts.register
    def _(self, value: np.ndarray) -> list[Node]:
        """Return the array as a view of the memory that it shares with others."""
        memory: npt.NDArray[Any] = value
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        if not memory.flags.c_contiguous:  # nobody else's
            memory = value = np.ascontiguousarray(value)
        if id(memory) not in self._memories:
            self._memories[id(memory)] = self.array(memory.reshape(-1).view(np.uint8))
            self._held.append(memory)
        first = byte_bounds(memory)[0]
        offset = byte_bounds(value)[0] - first if value.size else 0
        described = np.lib.format.dtype_to_descr(value.dtype)
        view = json.loads(json.dumps([described, offset, value.shape, value.strides]))
        return ["array", self._memories[id(memory)], first % ALIGNMENT, view]

    @_parts.register
    def _(self, value: np.random.Generator) -> list[Node]:
        return ["generator", _plain(value.bit_generator.state)]

    @_parts.register
    def _(self, value: dict) -> list[Node]:  # type: ignore[type-arg]  # a type for dispatch
        return ["dict", [[self.node(key), self.node(one)] for key, one in value.items()]]

    @_parts.register(list)
    @_parts.register(set)
    @_parts.register(deque)
    def _(self, value: Any) -> list[Node]:
        return [type(value).__name__, [self.node(one) for one in value]]

    @_parts.register
    def _(self, value: tuple) -> list[Node]:  # type: ignore[type-arg]  # a type for dispatch
        items = [self.node(one) for one in value]
        if hasattr(value, "_fields"):
            return ["named tuple", type_name(value), items]
        return ["tuple", items]

    def array(self, array: npt.NDArray[Any]) -> str:
        """Put an array aside; return its name."""
        if array.dtype.hasobject:
            raise TypeError("an array of objects cannot be saved")
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return name


def _plain(value: Any) -> Any:
    """Return a generator's state with its arrays as lists."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
