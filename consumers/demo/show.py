"""`gsr run --demo`: everything on one machine, with shoppers, and what happens in plain words."""

import math
import shlex
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from consumers.config.loading import FLAG_NAMES, load_config
from consumers.config.manual import toml_value
from consumers.config.settings import GsrConfig
from consumers.demo.made_up_titles import MadeUpTitles, made_up_titles
from consumers.demo.readings import Shopper, ShopperWindow
from consumers.demo.screen import Screen, enough_tests, hit_rates, open_screen
from consumers.errors import ConfigError
from consumers.offline.history_file import HistoryOptions, no_events
from consumers.runtime.all_roles import (
    api_address,
    child_environment,
    member_flags,
    ports,
    role_children,
    stopped_by_signals,
)
from consumers.runtime.health import listening_family
from consumers.runtime.instance import instance_of
from consumers.runtime.kernels import compile_ahead, compiled_ahead
from consumers.runtime.role_figures import Figures, Scraper
from consumers.runtime.supervisor import ChildSpec, Supervisor, gsr_command
from consumers.terminal_text import printable
from gsr.compiling import COMPILING
from stream.clock import SystemClock
from stream.events.files.dialect import FileDialect
from stream.events.files.input_paths import input_files
from stream.log.opening import open_log

DEMO_DIRECTORY: Final = Path("run/demo")
FEEDER: Final = "shoppers"
_HEAD_START: Final = 2000
_QUICK: Final[Mapping[str, Any]] = {
    "trainer.cycle_seconds": 6.0,
    "trainer.cycle_min_clicks": 100,
    "trainer.budget_seconds": 4.0,
    "trainer.view_interval_seconds": 2.0,
    "trainer.recent_clicks": 2000,
    "learner.replay": 2.0,
    "ingest.checkpoint_interval_seconds": 2.0,
    "ingest.flush_interval_seconds": 1.0,
    "process.log_level": "warning",
}
"""What makes a model's life visible within a minute; nothing that state or models are shaped by,
so that other commands may go on from what the demo leaves."""
_SHOP: Final = (
    *("--users", "10000", "--items", "400"),
    *("--drift-seconds", "120", "--new-items", "600"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Settings of the demo.

    Parameters
    ----------
    config
        A configuration file, or None.
    flags
        Settings from the command line; they win over those that make the demo quick.
    events
        A log of clicks to feed instead of simulated shoppers, re-stamped.
    columns
        Role -> column of that file.
    dialect
        What is known of how that file is written.
    rate
        Clicks per second.
    serve
        Whether the API runs, too.
    """

    config: Path | None = None
    flags: Mapping[str, object] = field(default_factory=dict)
    events: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    dialect: FileDialect = field(default_factory=FileDialect)
    rate: float = 150.0
    serve: bool = True


def run_demo(options: DemoOptions) -> None:
    """Run the demo until Ctrl-C.

    Without --state and --log it lives in `run/demo`, which is emptied first.

    Raises
    ------
    ConfigError
        A setting is wrong, or another demo runs in the same directory.
    EventFileError
        The file cannot be read.
    RoleFailedError
        A role failed for good.
    """
    if options.events is not None:
        _check_events(options, options.events, load_config(options.config, options.flags))
    if not compiled_ahead():
        # Else four processes would, for as long, and nothing would be seen to happen.
        sys.stderr.write(f"{COMPILING} …\n")
        compile_ahead()
    with ExitStack() as stack:
        flags = {**_QUICK, **options.flags}
        if not {"state.directory", "log.url"} & flags.keys():
            _empty_directory(stack)
            flags |= {
                "state.directory": str(DEMO_DIRECTORY / "state"),
                "log.url": f"embedded:{DEMO_DIRECTORY / 'log'}",
            }
        config = load_config(options.config, flags)
        flags |= _free_ports(config)
        config = load_config(options.config, flags)
        clock = SystemClock()
        log = open_log(config.log.url, clock, config.kafka)
        stack.callback(log.close)
        for spec in config.log.topics():
            log.create_topic(spec)
        window = ShopperWindow(config, log, clock)
        stack.callback(window.close)
        scraper = Scraper(config.http.host, ports(config))
        stack.callback(scraper.close)
        begun = clock.monotonic()
        page = f"{api_address(config)}/" if options.serve else None
        screen = open_screen(clock, page)
        stack.callback(screen.close)
        if page is not None:
            screen.message(f"a page to look at, once all roles run: {page}")
        name = stack.enter_context(instance_of(config.state.directory))
        flags |= member_flags(config, name)
        roles = role_children(options.config, flags, serve=options.serve)
        children = [*roles, _feeder(options, config, flags)]

        output = child_output(screen)

        titles = None if options.events is not None else MadeUpTitles(config)

        def tick() -> None:
            if titles is not None:
                titles.load()
            window.look()
            screen.show(scraper.figures, window.shopper)

        with stopped_by_signals() as stop:
            Supervisor(children, config.process, clock, output).run(stop, tick)
        seconds = clock.monotonic() - begun
    _say_goodbye(scraper.figures, seconds, page)
    sys.stdout.write("\n".join(try_next(options, config, window.shopper)) + "\n")


def child_output(screen: Screen) -> Callable[[str, str], None]:
    """Return what shows the lines of children, by name and line, on the screen."""
    compiling = threading.Lock()  # taken once that was said: each role compiles, and says so

    def output(name: str, line: str) -> None:
        if line.endswith(COMPILING):
            if compiling.acquire(blocking=False):
                screen.message(COMPILING)
        # The feeder reports progress, which the screen already shows.
        elif name != FEEDER or line.startswith("error:"):
            screen.message(f"{name}: {line}")

    return output


def _check_events(options: DemoOptions, path: Path, config: GsrConfig) -> None:
    """Find out now, and not in a child, whether the file can be read as the child will."""
    if not path.is_dir() and not all(file.lasts for file in input_files([path])):
        raise ConfigError("--events must be a file: the demo reads it twice")
    # New times are given: those of the file may be any.
    columns = dict(options.columns)
    file = HistoryOptions(
        events=path, columns=columns, dialect=options.dialect, config=config, on_bad="skip"
    ).open(now=math.inf)
    if next(file.read(), None) is None:
        raise no_events(file, "the demo has nothing to show")
    if file.examples:
        sys.stderr.write(f"bad rows are left out, the first: {printable(file.examples[0])}\n")


def _empty_directory(stack: ExitStack) -> None:
    DEMO_DIRECTORY.parent.mkdir(parents=True, exist_ok=True)
    try:
        stack.enter_context(FileLock(DEMO_DIRECTORY.with_suffix(".lock"), timeout=0))
    except Timeout:
        raise ConfigError(
            f"another demo runs in {DEMO_DIRECTORY}: end it first, or give this one its own "
            "--state DIR and --log embedded:DIR"
        ) from None
    shutil.rmtree(DEMO_DIRECTORY, ignore_errors=True)


def _free_ports(config: GsrConfig) -> dict[str, int]:
    """Return a free port in place of each configured one that is in use (or 0, for any)."""
    wanted = {f"http.{name}_port": (config.http.host, p) for name, p in ports(config).items()}
    wanted["serve.port"] = (config.serve.host, config.serve.port)
    chosen = {}
    for setting, (host, port) in wanted.items():
        if not port or not _is_free(host, port):
            with socket.socket(listening_family(host)) as probe:
                probe.bind((host, 0))
                chosen[setting] = int(probe.getsockname()[1])
    return chosen


def _is_free(host: str, port: int) -> bool:
    with socket.socket(listening_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _feeder(options: DemoOptions, config: GsrConfig, flags: Mapping[str, object]) -> ChildSpec:
    pace = ["--rate", str(options.rate), "--restamp", "--head-start", str(_HEAD_START)]
    if options.events is None:
        titles = ["--titles", str(made_up_titles(config))]
        command = ["simulate", "--log", config.log.url, *pace, *_SHOP, *titles]
    else:
        how = [f"--column={role}={name}" for role, name in options.columns.items()]
        how += _dialect_options(options.dialect)
        command = ["produce", *how, "--skip-bad", *pace, "--", str(options.events)]
    return ChildSpec(
        name=FEEDER,
        command=gsr_command(*command),
        environment=child_environment(options.config, flags),
        may_finish=True,
    )


def _dialect_options(dialect: FileDialect) -> list[str]:
    """Return the dialect as the command line takes it."""
    options = [f"--quoting={dialect.quoting}"]
    if dialect.header is not None:
        options.append("--header" if dialect.header else "--no-header")
    if dialect.time_unit is not None:
        options.append(f"--time-unit={dialect.time_unit}")
    if dialect.time_format is not None:
        options.append(f"--time-format={dialect.time_format}")
    return options


def _say_goodbye(figures: Figures, seconds: float, page: str | None) -> None:
    counted = f"{figures.clicks:,} clicks became {figures.lists:,} lists"
    sys.stdout.write(
        f"\nIn {seconds:.0f} seconds {counted}; the model reached version {figures.version}.\n"
    )
    if enough_tests(figures):
        sys.stdout.write(
            "Each click was ranked before anything learned from it. Of the recent ones so many "
            f"were among the ten best: {hit_rates(figures)}.\n"
        )
    if page is not None:
        sys.stdout.write(
            f"The page at {page} ended with it; `gsr run`, below, serves on and shows it again.\n"
        )


def try_next(options: DemoOptions, config: GsrConfig, shopper: Shopper | None) -> list[str]:
    """Return the lines that say what to type next; each works as it is printed.

    Parameters
    ----------
    options, config
        What the demo ran with.
    shopper
        Whose list was shown last, if any.
    """
    gsr, given = typed_command(), _given_again(options)
    state = shlex.join(["--state", str(config.state.directory)])
    log = shlex.join(["--log", config.log.url])
    commands = [
        (f"models list {state}{given}", "the models that were made"),
        (f"log topics {log}{given}", "what is on the topics"),
        (f"run {state} {log}{given}", "serves on from here"),
        ("simulate --events 20000 --format csv > clicks.csv", "makes an event file to try"),
        ("replay clicks.csv --out report", "how good lists would have been, with plots"),
        ("run --demo --events clicks.csv", "this again, with the clicks of a file"),
    ]
    if shopper is not None:
        user, item = shopper.recommendation.user_id, shopper.recommendation.items[0].item_id
        both = f"{state} {log}{given}"
        commands[:0] = [
            (_question("recommend", user, both), "a list now, and why"),
            (_question("user", user, both), "what is known of this shopper"),
            (_question("item", item, f"{state}{given}"), "what is clicked after it"),
        ]
    lines = [f"  {gsr} {command}    # {why}" for command, why in commands if command.isprintable()]
    return ["", "Try next:", *lines]


def typed_command() -> str:
    """Return what to type to start this installation's `gsr` again, from this directory."""
    started = Path(sys.argv[0])
    if started.name != "gsr":
        return f"{_from_here(Path(sys.executable))} -m consumers.cli"
    found = shutil.which("gsr")
    if found is not None and started.exists() and Path(found).samefile(started):
        return "gsr"
    return _from_here(started)


def _from_here(path: Path) -> str:
    absolute, here = path.absolute(), Path.cwd()
    inside = absolute.is_relative_to(here)
    return shlex.quote(str(absolute.relative_to(here) if inside else absolute))


def _given_again(options: DemoOptions) -> str:
    """Return the configuration that was given, as it has to be given again."""
    words = [] if options.config is None else ["--config", str(options.config)]
    for name, value in options.flags.items():
        if name in FLAG_NAMES:
            continue
        text = value if isinstance(value, str) else toml_value(value)
        words += ["--set", f"{name}={text}"]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _question(command: str, about: str, options: str) -> str:
    """Return a command about an id, such that neither the shell nor its parser takes it apart."""
    quoted = shlex.quote(about)
    dashed = about.startswith("-")
    return f"{command} {options} -- {quoted}" if dashed else f"{command} {quoted} {options}"
