"""Lists that were replaced are kept for a while, within a limit."""

import numpy as np

from consumers.roles.publisher.attribution.replaced_lists import ENTRY_BYTES, ReplacedLists
from consumers.roles.publisher.user_table import FIRST, REASONS, REPLACED, UserTable
from gsr.counters.ids.fingerprint import fingerprint
from tests.consumers.roles.publisher.attribution.lists import give_list

WIDTH = 2


def keep(replaced: ReplacedLists, users: UserTable, *names: str) -> None:
    replaced.keep(np.array([users.row_of(name) for name in names]))


def test_what_was_kept_is_what_the_table_held() -> None:
    """All of it, the oldest list first; the table may go on."""
    users = UserTable(list_length=WIDTH)
    replaced = ReplacedLists(users)
    give_list(users, "u", ["a"], made_at=1.0, click=5, version=2, reason="items", number=2**63)
    keep(replaced, users, "u")
    give_list(users, "u", ["b"], made_at=2.0, click=6)
    keep(replaced, users, "u")
    give_list(users, "u", ["c"], made_at=3.0, click=7)
    first, second = replaced.of("u")
    assert first[:-1] == (1.0, 5, 2, REASONS.index("items"), 2**63, FIRST)
    assert first.marks.tolist() == [fingerprint("a"), 0]
    assert (second.made_at, second.history) == (2.0, REPLACED)
    assert replaced.of("v") == ()


def test_the_oldest_leave_within_the_limit() -> None:
    """However many come, and whoever was forgotten in between."""
    users = UserTable(list_length=WIDTH)
    replaced = ReplacedLists(users, limit_bytes=10 * (ENTRY_BYTES + 4 * WIDTH))
    for name in "abc":
        give_list(users, name, ["i"], made_at=0.0)
    for made_at in range(1, 40):
        keep(replaced, users, "a", "b")
        for name in "ab":
            give_list(users, name, ["i"], made_at=float(made_at))
        assert len(replaced) == len(replaced.of("a")) + len(replaced.of("b")) <= 10
        if made_at == 20:
            replaced.forget("a")
            assert replaced.of("a") == ()
            assert len(replaced) == len(replaced.of("b")) == 5
    assert [one.made_at for one in replaced.of("b")] == [34.0, 35.0, 36.0, 37.0, 38.0]
    for _ in range(10):
        keep(replaced, users, "c")
    assert (replaced.of("a"), replaced.of("b"), len(replaced.of("c"))) == ((), (), 10)
