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


def tell_compiling() -> None:
    """Tell whoever asked that a kernel is about to be compiled."""
    if _listeners and not _listeners[-1].told:
        _listeners[-1].told = True
        _listeners[-1].tell(COMPILING)
