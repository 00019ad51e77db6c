"""Commands that put a control record on the log, and the group of those about items."""

from typing import Annotated

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.item_titles import load
from consumers.cli.log_access import append_one, id_bytes, open_existing_log
from consumers.cli.options import ConfigFile, LogUrl, Settings, Yes, resolve
from consumers.cli.output import say

Item = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "forget", "gsr forget alice --yes")(forget)
    items = group("Give items titles; take items out of all lists, and let them back in.")
    command(
        items,
        "load",
        "gsr items load titles.csv",
        "gsr items load products.jsonl.gz --column item=sku --column title=name",
        "gsr items load movies.dat --no-header --column item=1 --column title=2",
    )(load)
    command(items, "block", "gsr items block item-17")(block)
    command(items, "allow", "gsr items allow item-17")(allow)
    app.add_typer(items, name="items")


def forget(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user's id.")],
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    yes: Yes = False,
) -> None:
    """Forget a user: their clicks, seen items and list go. Cannot be undone.

    What remains: anonymous weights between items, the clicks topic until its retention ends, and
    backups.
    """
    loaded = resolve(config, settings, log)
    confirm(f"Forget everything about {user!r}?", yes=yes)
    key = id_bytes("user", user)
    with open_existing_log(loaded, loaded.log.clicks) as log_opened:
        partition, offset = append_one(log_opened, loaded.log.clicks, key, None)
    say(f"user {user!r} goes once ingest has read {loaded.log.clicks}[{partition}] to {offset}")


def block(
    item: Item, config: ConfigFile = None, settings: Settings = None, log: LogUrl = None
) -> None:
    """Take an item out of all lists: those that hold it are sent anew."""
    _control(item, available=False, config=config, settings=settings, log=log)
    say(f"item {item!r} leaves all lists as soon as the publisher reads this")


def allow(
    item: Item, config: ConfigFile = None, settings: Settings = None, log: LogUrl = None
) -> None:
    """Let a blocked item into lists again."""
    _control(item, available=True, config=config, settings=settings, log=log)
    say(f"item {item!r} may be in lists again")


def _control(
    item: str, *, available: bool, config: ConfigFile, settings: Settings, log: LogUrl
) -> None:
    import msgspec

    from consumers.topics.log_lookup import newest_record
    from stream.errors import RecordFormatError
    from stream.events.records.item_control import ItemControl, decode_item_control

    loaded = resolve(config, settings, log)
    key = id_bytes("item", item)
    with open_existing_log(loaded, loaded.log.items) as log_opened:
        found = newest_record(log_opened, loaded.log.items, key)
        control = ItemControl(item_id=item)
        if found is not None and found[1] is not None:
            try:
                control = decode_item_control(found[1])  # keeps its expiry and category
            except RecordFormatError as error:
                say(f"the item's record on {loaded.log.items} is replaced: {error}")
        control = msgspec.structs.replace(control, available=available)
        append_one(log_opened, loaded.log.items, key, control.encode())
