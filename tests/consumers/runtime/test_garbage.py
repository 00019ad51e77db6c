"""Garbage: frozen while a role runs, looked for again afterwards."""

import gc

from consumers.runtime.garbage import (
    ALLOCATIONS,
    GENERATIONS,
    collect_as_usual,
    collect_rarely,
    uncollected,
)


def test_what_is_frozen_while_a_role_runs_is_let_go_at_its_end() -> None:
    """Frozen objects outlive the interpreter: compiled libraries call that a leak, at length."""
    usual = gc.get_threshold()
    collect_rarely()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (ALLOCATIONS, *GENERATIONS)
    collect_as_usual()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual


def test_no_garbage_is_looked_for_during_imports() -> None:
    """And all is as before afterwards."""
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
