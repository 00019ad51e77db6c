"""The allocator's settings, seen from outside: memory comes back."""

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import sys, threading
import numpy as np, psutil
from consumers.runtime.allocator import return_memory, settle_allocator
if sys.argv[1] == "settled":
    assert settle_allocator()
kept = []
def work():
    for _ in range(200):
        large = [np.ones(40_000) for _ in range(20)]  # 320 kB each: from the heap
        kept.append(np.ones(100))  # and a small one that stays behind them
        del large
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
if sys.argv[1] == "settled":
    return_memory()
print(psutil.Process().memory_info().rss)
"""


def _resident(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_free_memory_goes_back() -> None:
    """What many threads' freed arrays leave behind is small once it was asked back."""
    before, after = _resident("as it is"), _resident("settled")
    assert after < before
