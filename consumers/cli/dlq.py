"""`gsr dlq`: refused records, shown and sent again."""

import base64
import codecs
import re
import time
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.log_access import open_existing_log
from consumers.cli.options import (
    MOST_RATE,
    AsJson,
    ConfigFile,
    DryRun,
    LogUrl,
    Settings,
    Yes,
    resolve,
)
from consumers.cli.output import print_json, print_table, say
from consumers.terminal_text import printable

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from collections.abc import Sequence

    from consumers.topics.dead_letter_lookup import StoredLetter
    from consumers.topics.redrive import Survey
    from stream.events.records.dead_letters import DeadLetter

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SHOWN_DETAIL: Final = 60
_SHOWN_KEY: Final = 24
_SHOWN_VALUE: Final = 72
_JSON_BYTES: Final = 1024

Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="REASON", help="Only of this reason; may be repeated."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    letters = group("Look at records that were refused, and send them again.")
    command(
        letters,
        "show",
        "gsr dlq show",
        "gsr dlq show --reason future --since 2h",
        "gsr dlq show --json --limit 1000 --full > letters.json",
    )(show)
    command(
        letters,
        "redrive",
        "gsr dlq redrive --dry-run",
        "gsr dlq redrive --reason unknown_event --yes",
    )(redrive)
    app.add_typer(letters, name="dlq")


def show(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    reasons: Reasons = None,
    partition: Annotated[
        int | None, typer.Option("--partition", min=0, metavar="N", help="Only of this partition.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="2h, 30m, 7d or an ISO-8601 time."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="At most so many, the newest.")
    ] = 20,
    full: Annotated[
        bool, typer.Option("--full", help="With --json: values whole, however long.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show dead letters, newest first: where each was, what is wrong with it, what it holds.

    --since looks at when a record was set aside. In JSON, bytes that are no UTF-8 are base64.
    """
    loaded = resolve(config, settings, log)
    from stream.events.records.dead_letters import LETTER_REASONS

    wanted = frozenset(_known(reasons, LETTER_REASONS))
    oldest_time = None if since is None else since_time(since, time.time())
    from consumers.topics.dead_letter_lookup import newest_of_all

    topic = loaded.log.dead_letters
    with open_existing_log(loaded, topic) as log_opened:
        oldest = (
            log_opened.start_offsets(topic)
            if oldest_time is None
            else log_opened.offsets_at(topic, oldest_time)
        )
        if partition is not None and partition not in oldest:
            raise typer.BadParameter(
                f"{topic} has the partitions 0 to {len(oldest) - 1}", param_hint="--partition"
            )
        chosen = {p: o for p, o in oldest.items() if partition in (None, p)}
        letters = newest_of_all(log_opened, topic, chosen)
        matching = (s for s in letters if s.letter is not None and s.letter.reason in wanted)
        found = list(islice(matching, limit))
    if as_json:
        print_json(
            [_document(stored, None if full else _JSON_BYTES) for stored in found], only_ascii=True
        )
    elif found:
        _print(found)
    else:
        say("there are none")


def redrive(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    reasons: Reasons = None,
    rate: Annotated[
        float, typer.Option("--rate", min=1, max=MOST_RATE, metavar="N", help="Records per second.")
    ] = 1000.0,
    most_redrives: Annotated[
        int,
        typer.Option("--most-redrives", min=1, help="Leave what was sent again so many times."),
    ] = 3,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Send dead letters back to the clicks topic, byte for byte, each once.

    First correct what made them bad (say, add the event to events.weights and restart ingest).
    What went is remembered: a second redrive sends only what has come since. After a crash the
    last few hundred may go twice; a click that comes twice changes nothing.
    """
    loaded = resolve(config, settings, log)
    from stream.events.clicks.bad_record import REASONS
    from stream.events.records.dead_letters import DAMAGED

    if DAMAGED in (reasons or ()):
        raise typer.BadParameter(
            f"records that are {DAMAGED} cannot be sent again: nobody can read them",
            param_hint="--reason",
        )
    chosen = _known(reasons, REASONS)
    from consumers.cli.progress_bar import progress_bar
    from consumers.runtime.interruption import Interruption
    from consumers.runtime.progress import Progress
    from consumers.runtime.rate import Rate
    from consumers.topics.redrive import Redrive, RedriveOptions
    from stream.clock import SystemClock

    clock = SystemClock()
    options = RedriveOptions(
        dead_letters=loaded.log.dead_letters,
        source=loaded.log.clicks,
        reasons=tuple(chosen),
        most_redrives=most_redrives,
        records_per_second=rate,
    )
    with open_existing_log(loaded, options.dead_letters, options.source) as log_opened:
        work = Redrive(log_opened, clock, options)
        survey = work.survey(loaded.events.rules())
        total = survey.letters.total()
        _tell(survey, options.most_redrives)
        if dry_run or not total:
            return
        confirm(f"Send {total:,} records to {options.source} again?", yes=yes)
        speed, count = Rate(clock), 0

        def tell(sent: int) -> None:
            nonlocal count
            count = sent
            progress(
                Progress(
                    stage="sending", done=sent, total=total, events_per_second=speed.update(sent)
                )
            )

        with Interruption().caught(), progress_bar() as progress:
            try:
                work.run(tell)
            except BaseException:
                say(f"stopped: {count:,} records were sent; the same command sends the others")
                raise
    say(f"sent {count:,} records to {options.source} again")


def since_time(text: str, now: float) -> float:
    """Return the moment that `--since` names.

    Examples
    --------
    >>> since_time("2h", 10_000.0), since_time("1970-01-01T00:01:00Z", 0.0)
    (2800.0, 60.0)
    """
    from stream.events.clicks.timestamps import parse_iso

    span = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd])", text, re.ASCII)
    if span is not None:
        return now - float(span[1]) * _UNITS[span[2]]
    moment = parse_iso(text)
    if moment is None:
        raise typer.BadParameter(
            f"{text!r} is no time: write 30m, 2h, 7d or 2026-01-31T12:00:00Z", param_hint="--since"
        )
    return moment


def _known(reasons: "Sequence[str] | None", known: "Sequence[str]") -> "Sequence[str]":
    for reason in reasons or ():
        if reason not in known:
            raise typer.BadParameter(
                f"{reason!r} is no reason: they are {', '.join(known)}", param_hint="--reason"
            )
    return tuple(dict.fromkeys(reasons)) if reasons else known


def _tell(survey: "Survey", most_redrives: int) -> None:
    if survey.foreign:
        say(f"{survey.foreign:,} records are left: they are no dead letters of this topic")
    if survey.shortened:
        say(
            f"{survey.shortened:,} are left: only their beginning is on the dead-letter topic, "
            "which takes no record that large; `gsr dlq show` says where the originals were"
        )
    if survey.damaged:
        say(f"{survey.damaged:,} are left: they stand for records that nobody can read")
    if survey.exhausted:
        say(f"{survey.exhausted:,} are left: they were sent again {most_redrives} times already")
    if not survey.letters:
        say("there is nothing to send")
        return
    listed = ", ".join(f"{count:,} {reason}" for reason, count in survey.letters.most_common())
    say(f"to be sent: {listed}")
    if survey.refused_again:
        again = ", ".join(f"{n:,} {reason}" for reason, n in survey.refused_again.most_common())
        say(f"with this configuration some will be refused again: {again}")


def _print(found: "Sequence[StoredLetter]") -> None:
    rows = []
    for stored in found:
        letter = stored.letter
        if letter is None:
            continue
        rows.append(
            (
                _came(letter.time),
                _place(letter),
                letter.reason,
                printable(letter.detail, _SHOWN_DETAIL),
                letter.redrives or "",
                _text(letter.key, _SHOWN_KEY),
                _text(letter.value, _SHOWN_VALUE),
            )
        )
    print_table(("came", "from", "reason", "detail", "redrives", "key", "value"), rows)


def _place(letter: "DeadLetter") -> str:
    last = "" if letter.end_offset is None else f"..{letter.end_offset - 1}"
    cut = "" if letter.original is None else " (shortened)"
    return f"{letter.topic}[{letter.partition}]@{letter.offset}{last}{cut}"


def _text(data: bytes | None, most: int) -> str:
    if data is None:
        return "null"
    # A character has at most four bytes; what comes after them is cut anyway.
    return printable(data[: 4 * (most + 1)].decode(errors="backslashreplace"), most)


def _came(seconds: float) -> str:
    from consumers.inspect.times import iso_time

    try:
        return iso_time(seconds)
    except (ValueError, OverflowError, OSError):  # a header that others wrote
        return "unknown"


def _document(stored: "StoredLetter", most_bytes: int | None) -> dict[str, Any]:
    letter = stored.letter
    if letter is None:
        return {}
    return {
        "came": _came(letter.time),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        **({} if letter.end_offset is None else {"end_offset": letter.end_offset}),
        "reason": letter.reason,
        "detail": letter.detail,
        "redrives": letter.redrives,
        **_bytes_document("key", letter.key, most_bytes),
        **_bytes_document("value", letter.value, most_bytes),
        "headers": {
            name: value.decode(errors="backslashreplace") for name, value in letter.headers
        },
        "dead_letter": {"partition": stored.partition, "offset": stored.offset},
        **({} if letter.original is None else {"original": asdict(letter.original)}),
    }


def _bytes_document(name: str, data: bytes | None, most_bytes: int | None) -> dict[str, Any]:
    if data is None:
        return {name: None}
    shown = data if most_bytes is None else data[:most_bytes]
    cut = len(shown) < len(data)
    length = {f"{name}_bytes": len(data)} if cut else {}
    try:
        # A character that the cut goes through is left out.
        return {name: codecs.getincrementaldecoder("utf-8")().decode(shown, not cut), **length}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(shown).decode(), **length}
