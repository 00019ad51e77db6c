"""`gsr items load`: titles of items, from files."""

from pathlib import Path
from typing import Annotated, Final

import typer

from consumers.cli.options import (
    ConfigFile,
    Header,
    QuotingRule,
    Settings,
    SkipBad,
    StateDirectory,
    assigned_columns,
    resolve,
)
from consumers.cli.output import say, say_skipped

ITEM_ROLES: Final = ("item", "title")
SHOWN_EXAMPLES: Final = 5

TitlePaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="ITEMS",
        help="CSV or JSON lines, .gz and .zst too, or Parquet, with the columns item_id and title; "
        "- is standard input; a directory means the files in it, by name.",
    ),
]
TitleColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Column of the file for item or title; may be repeated. With --no-header a number, "
        "from 1.",
    ),
]


def load(
    files: TitlePaths,
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
    columns: TitleColumnNames = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    skip_bad: SkipBad = False,
) -> None:
    """Give items titles: what people read then names items by them, beside their ids.

    The files hold all titles there are: they take the place of those loaded before, at once and
    all together, and roles that run show them within seconds. Of an item that comes twice the last
    title counts; other columns are ignored.
    """
    loaded = resolve(config, settings, state=state)
    names = dict(assigned_columns(columns, ITEM_ROLES))
    from consumers.serving.title_loading import load_titles
    from stream.events.files.dialect import FileDialect
    from stream.events.files.title_columns import TitleColumns
    from stream.events.files.title_file import TitleFile

    try:
        mapping = TitleColumns(**names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--column") from None
    file = TitleFile(
        files,
        mapping,
        dialect=FileDialect(header=header, quoting=quoting),
        longest=loaded.titles.longest_title,
        on_bad="skip" if skip_bad else "fail",
    )
    count = load_titles(loaded, file)
    say_skipped(file.skipped, file.examples[:SHOWN_EXAMPLES])
    if file.untitled:
        say(f"left out {file.untitled:,} rows without a title")
    if file.cut:
        say(f"cut {file.cut:,} titles to {loaded.titles.longest_title} characters")
    say(f"{count:,} items have a title now, in {loaded.titles_file}")
