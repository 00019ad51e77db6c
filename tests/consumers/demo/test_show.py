"""What the demo says to try next is right as it is printed."""

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from consumers.cli.application import app
from consumers.config.loading import load_config, parse_assignment
from consumers.config.settings import GsrConfig
from consumers.demo import show
from consumers.demo.readings import Shopper
from consumers.demo.show import DemoOptions, try_next, typed_command
from consumers.runtime.role_figures import Figures
from gsr.compiling import COMPILING
from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord

FLAGS = {"state.directory": "run/demo/state", "log.url": "embedded:run/demo/log"}


def shopper(user: str = "ann", item: str = "green tea") -> Shopper:
    return Shopper(
        SequenceRecord(
            user_id=user,
            items=[item],
            times=[1.0],
            events=["click"],
            source_partition=0,
            source_offset=1,
            next_offset=2,
            last_click_at=1.0,
            accepted_at=1.0,
        ),
        Recommendation(
            user_id=user,
            items=[ScoredItem(item, 1.0)],
            model_version=1,
            generated_at=2.0,
            reason="click",
            source_offset=1,
        ),
    )


def printed(options: DemoOptions, shown: Shopper | None) -> list[list[str]]:
    """Return the commands as a shell takes them apart."""
    config = load_config(options.config, {**FLAGS, **options.flags})
    lines = try_next(options, config, shown)
    assert "Try next:" in lines
    return [shlex.split(line, comments=True) for line in lines if line.startswith("  ")]


@pytest.fixture(autouse=True)
def _started_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "gsr").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv" / "bin" / "gsr")])


@pytest.mark.parametrize("user", ["ann", "two words", "-dash", "quote'd"])
def test_every_line_is_a_command_that_exists(user: str) -> None:
    """With the path of what was started, and options that the command has."""
    found = printed(DemoOptions(), shopper(user))
    assert {words[0] for words in found} == {".venv/bin/gsr"}
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    for words in found:
        arguments = words[1 : words.index(">")] if ">" in words else words[1:]
        command = root.commands[arguments.pop(0)]
        if isinstance(command, TyperGroup):
            command = command.commands[arguments.pop(0)]
        parsed = command.make_context("gsr", arguments).params
        assert parsed.get("user", user) == user
        assert parsed.get("item", "green tea") == "green tea"


def test_the_lines_name_where_the_demo_was() -> None:
    """State and log of the demo, not the usual ones."""
    found = {words[1]: words[2:] for words in printed(DemoOptions(), shopper())}
    where = ["--state", "run/demo/state", "--log", "embedded:run/demo/log"]
    assert found["recommend"] == ["ann", *where]
    assert found["user"] == ["ann", *where]
    assert found["item"] == ["green tea", "--state", "run/demo/state"]
    assert found["run"] in (where, ["--demo", "--events", "clicks.csv"])


@pytest.mark.parametrize("flags", [{}, {"state.directory": "here"}, {"log.url": "embedded:there"}])
def test_shoppers_click_on_the_log_of_the_roles(flags: dict[str, object]) -> None:
    """Whether it was named or is the usual one."""
    config = load_config(None, flags)
    command = show._feeder(DemoOptions(), config, flags).command  # noqa: SLF001
    assert command[command.index("--log") + 1] == config.log.url


def test_a_file_is_fed_as_it_was_checked() -> None:
    """With its columns, the way that it is written, and the settings of the roles."""
    options = DemoOptions(
        config=Path("my.toml"),
        events=Path("-clicks.csv"),
        columns={"user": "1", "item": "2", "timestamp": "3"},
        dialect=FileDialect(header=False, quoting="none", time_format="%d.%m.%Y"),
    )
    feeder = show._feeder(options, GsrConfig(), {"log.partitions": 2})  # noqa: SLF001
    assert feeder.environment == {
        "GSR_CONFIG": str(Path("my.toml").absolute()),
        "GSR_LOG__PARTITIONS": "2",
    }
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    words = list(feeder.command[feeder.command.index("produce") + 1 :])
    given = root.commands["produce"].make_context("produce", words).params
    assert given["columns"] == ["user=1", "item=2", "timestamp=3"]
    assert (given["header"], given["quoting"]) == (False, "none")
    assert (given["time_unit"], given["time_format"]) == (None, "%d.%m.%Y")
    assert list(map(str, given["events"])) == ["-clicks.csv"]


CHECKED = [
    ("ann,tea,1,view\n", ""),
    ("ann,,1,view\nann,tea,99999999999,view\n", ""),
    ("ann,tea,1,stare\n", "all 1 rows are bad"),
    ("", "holds no events"),
]


@pytest.mark.parametrize(("rows", "fault"), CHECKED)
def test_a_file_is_checked_as_it_will_be_fed(rows: str, fault: str) -> None:
    """With the configured events, past bad rows, and with any time."""
    path = Path("c.csv")
    path.write_text("user_id,item_id,timestamp,event\n" + rows)
    config = load_config(None, {"events.weights": {"view": 1.0}, "events.default_event": "view"})
    options = DemoOptions(dialect=FileDialect(time_unit="s"))
    with pytest.raises(EventFileError, match=fault) if fault else nullcontext():
        show._check_events(options, path, config)  # noqa: SLF001


def test_what_was_given_is_given_again(tmp_path: Path) -> None:
    """Settings and their file, as --config and --set take them."""
    file = tmp_path / "my.toml"
    file.write_text("[model]\ndimension = 8\n")
    flags = {"state.half_lives_seconds": [60.0, 600.0], "publisher.group": "mine"}
    options = DemoOptions(config=file, flags=flags)
    words = next(words for words in printed(options, None) if words[1:3] == ["run", "--state"])
    assert words[words.index("--config") + 1] == str(file)
    given = dict(
        parse_assignment(words[at + 1]) for at, word in enumerate(words) if word == "--set"
    )
    assert given == {"state.half_lives_seconds": [60.0, 600.0], "publisher.group": "mine"}


def test_without_a_shopper_nobody_is_named() -> None:
    """A demo that ended before its first list."""
    assert not {"recommend", "user", "item"} & {words[1] for words in printed(DemoOptions(), None)}


def test_ids_that_a_terminal_would_obey_are_not_printed() -> None:
    """Control characters in an id."""
    assert "\x1b" not in "".join(try_next(DemoOptions(), GsrConfig(), shopper("\x1b[2J")))


def test_the_demo_changes_nothing_that_state_or_model_are_shaped_by() -> None:
    """So every command goes on from what it leaves, without its settings."""
    usual, quick = GsrConfig(), load_config(None, show._QUICK)  # noqa: SLF001
    assert quick.state.shape() == usual.state.shape()
    assert quick.model == usual.model
    assert quick.events == usual.events
    assert quick.log.topics() == usual.log.topics()


def test_the_command_is_named_as_it_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name where that finds it, else by path, else as a module."""
    assert typed_command() == ".venv/bin/gsr"
    monkeypatch.setenv("PATH", str(tmp_path / ".venv" / "bin"))
    assert typed_command() == "gsr"
    monkeypatch.setattr(sys, "argv", ["/somewhere/consumers/cli/__main__.py"])
    assert typed_command() == f"{sys.executable} -m consumers.cli"


def test_compiling_is_said_once_and_for_all_roles() -> None:
    """Each role compiles its kernels and says so; what else they say is shown, with their names."""
    screen = Recording()
    output = show.child_output(screen)
    for name in ("ingest", "trainer", show.FEEDER):
        output(name, f"12:00:00 WARNING {COMPILING}")
    output("ingest", "12:00:01 WARNING a disk is slow")
    output(show.FEEDER, "sending: 100")
    assert screen.messages == [COMPILING, "ingest: 12:00:01 WARNING a disk is slow"]


class Recording:
    """A screen that keeps its messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def show(self, figures: Figures, shopper: Shopper | None) -> None:
        """Not looked at here."""

    def message(self, line: str) -> None:
        self.messages.append(line)

    def close(self) -> None:
        """Nothing to leave."""
