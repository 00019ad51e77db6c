"""`gsr recommend`, `gsr user`, `gsr item`: answers from state and model, with reasons."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from consumers.cli.commands import command
from consumers.cli.log_access import id_bytes, open_existing_log
from consumers.cli.options import (
    AsJson,
    ConfigFile,
    LogUrl,
    Settings,
    StateDirectory,
    resolve,
)
from consumers.cli.output import print_json, print_table, say
from consumers.terminal_text import item_name

User = Annotated[str, typer.Argument(metavar="USER", help="The user's id.")]
Top = Annotated[int, typer.Option("--top", min=1, max=1000, help="How many to show.")]
Parts = Annotated[bool, typer.Option("--parts", help="Show what each score is due to, in numbers.")]

SHOWN_PARTS: Final = 6
"""Columns for what a score is due to: a terminal has no room for more."""

SHOWN_DIGITS: Final = 3


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "recommend",
        "gsr recommend alice",
        "gsr recommend alice --parts",
        "gsr recommend alice --json --top 5",
    )(recommend)
    command(app, "user", "gsr user alice")(user)
    command(app, "item", "gsr item item-17 --top 20")(item)


def recommend(
    user: User,
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    top: Top = 10,
    parts: Parts = False,
    as_json: AsJson = False,
) -> None:
    """Make a user's list now, and say why each item is on it.

    The click that is named is the one without which the item would lose most of its chance: each
    recent click is left out once, and the items are scored again. --json has the facts behind the
    words. Under a model the columns of --parts tell by how much a score would be lower if those
    features said of the item what they say of an average one; these do not add up to the score.
    The columns that matter most are shown, --json has all. Before there is a model they are what
    is added up.
    """
    loaded = resolve(config, settings, log, state)
    key = id_bytes("user", user)
    from consumers.inspect.users import current_list

    with open_existing_log(loaded, loaded.log.items, loaded.log.sequences) as log_opened:
        answer = current_list(loaded, log_opened, key, top)
    if as_json:
        print_json(answer)
        return
    if parts:
        _print_parts(answer["items"])
    else:
        print_table(
            ("", "item", "score", "why"),
            [
                (rank, _called(row), round(row["score"], SHOWN_DIGITS), row["words"])
                for rank, row in enumerate(answer["items"], start=1)
            ],
        )
    known = f"{answer['clicks']} clicks known" if answer["clicks"] else "nothing known: popularity"
    say(
        f"model {answer['model_version']}, counters {answer['view_age_seconds']:.0f} s old; {known}"
    )


def _print_parts(items: Sequence[dict[str, Any]]) -> None:
    """Print what the scores are due to, in numbers."""
    parts = _shown_parts([row["parts"] for row in items])
    print_table(
        ("item", "score", *parts),
        [
            (
                _called(row),
                round(row["score"], SHOWN_DIGITS),
                *(round(row["parts"][part], SHOWN_DIGITS) for part in parts),
            )
            for row in items
        ],
    )


def _shown_parts(parts: Sequence[dict[str, float]]) -> list[str]:
    """Return the names of the parts that matter most in a list, in the order that they have."""
    names = list(parts[0]) if parts else []
    weights = {name: sum(abs(one[name]) for one in parts) for name in names}
    most = sorted((name for name in names if weights[name] > 0.0), key=lambda name: -weights[name])
    return [name for name in names if name in most[:SHOWN_PARTS]]


def user(
    user: User,
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Show what the state knows of a user, and the list that was last sent to them."""
    loaded = resolve(config, settings, log, state)
    key = id_bytes("user", user)
    from consumers.inspect.users import user_facts

    with open_existing_log(loaded, loaded.log.recommendations) as log_opened:
        facts = user_facts(loaded, log_opened, key)
    if as_json:
        print_json(facts)
        return
    print_table(
        ("clicked", "event", "item"),
        [(click["time"], click["event"], _called(click)) for click in facts["clicks"]],
    )
    say(f"and {facts['seen_before']} items seen before these; partition {facts['partition']}")
    sent = facts["list"]
    if sent is None:
        say("no list has been sent yet")
    else:
        names = ", ".join(map(_called, sent["items"][:10]))
        say(f"last list (model {sent['model_version']}, because: {sent['reason']}): {names}")


def item(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The item's id.")],
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """Show an item's popularity and what is clicked after it, on each time scale."""
    loaded = resolve(config, settings, state=state)
    id_bytes("item", item)
    from consumers.inspect.items import item_facts

    facts: dict[str, Any] = item_facts(loaded, item, top)
    if as_json:
        print_json(facts)
        return
    scales = [_scale(seconds) for seconds in facts["half_lives_seconds"]]
    print_table(
        ("", *scales),
        [
            ("popularity", *facts["popularity"]),
            *((f"then {_called(row)}", *row["weights"]) for row in facts["neighbours"]),
        ],
    )
    say(f"{_called(facts)} was last clicked {facts['last_click']}; columns are half-lives")


def _called(entry: Mapping[str, Any]) -> str:
    return item_name(entry["item_id"], entry["title"])


def _scale(seconds: float) -> str:
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
