"""Who is told that kernels are being compiled; imports nothing, so that any command may ask.

A library stays silent: nobody is told where nobody asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

COMPILING: Final = "compiling kernels, once for this version: up to a minute or two"


@dataclass(slots=True, eq=False)
class _Listener:
    tell: Callable[[str], None]
    told: bool = False


_listeners: list[_Listener] = []
_hearers: list[Callable[[], object]] = []


@contextmanager
def compiling_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Have `tell` called with `COMPILING`, once, if a kernel is compiled while the block runs.

    Kernels that the cache holds are loaded, and nothing is said. Of blocks within each other only
    the inner one is told. The call comes from whichever thread needs the kernel.
    """
    listener = _Listener(tell)
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def compiling_heard(hear: Callable[[], object]) -> Iterator[None]:
    """Have `hear` called whenever the compiling of a kernel begins or ends while the block runs.

    Who compiles is at work, and no loop that hangs.
    """
    _hearers.append(hear)
    try:
        yield
    finally:
        _hearers.remove(hear)


def tell_compiling(*, begins: bool) -> None:
    """Tell whoever asked that the compiling of a kernel begins, or has ended."""
    for hear in _hearers:
        hear()
    if begins and _listeners and not _listeners[-1].told:
        _listeners[-1].told = True
        _listeners[-1].tell(COMPILING)
