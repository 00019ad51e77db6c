"""`gsr run --demo`: everything on one machine, with shoppers, and what happens in plain words."""

import shutil
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from consumers.config import GsrConfig
from consumers.config_loading import as_environment, load_config
from consumers.demo.figures import Figures, Scraper, ShopperWindow
from consumers.demo.screen import hit_rates, open_screen
from consumers.errors import ConfigError
from consumers.process.health import listening_family
from consumers.process.running import ports, role_children, stopped_by_signals
from consumers.process.supervisor import ChildSpec, Supervisor, gsr_command
from stream.clock import SystemClock
from stream.events.columns import Columns
from stream.events.files import EventFile
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
    "learner.batch_size": 100,
    "learner.learning_rate": 0.005,
    "ingest.checkpoint_interval_seconds": 2.0,
    "ingest.flush_interval_seconds": 1.0,
    "state.half_lives_seconds": [60.0, 600.0, 86_400.0],
    "process.log_level": "warning",
}
"""What makes a model's life visible within a minute."""
_SHOP: Final = (
    *("--users", "10000", "--items", "400"),
    *("--drift-seconds", "120", "--new-items", "600"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the demo shows.

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
    rate
        Clicks per second.
    """

    config: Path | None = None
    flags: Mapping[str, object] = field(default_factory=dict)
    events: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    rate: float = 150.0


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
        _check_events(options)
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
        screen = open_screen(clock)
        stack.callback(screen.close)
        children = [*role_children(options.config, flags), _feeder(options, flags)]

        def output(name: str, line: str) -> None:
            # The feeder reports progress, which the screen already shows.
            if name != FEEDER or line.startswith("error:"):
                screen.message(f"{name}: {line}")

        def tick() -> None:
            window.look()
            screen.show(scraper.figures, window.shopper)

        with stopped_by_signals() as stop:
            Supervisor(children, config.process, clock, output).run(stop, tick)
        figures, seconds = scraper.figures, clock.monotonic() - begun
    _say_goodbye(options, config, figures, seconds)


def _check_events(options: DemoOptions) -> None:
    """Find out now, and not in a child, whether the file can be read."""
    try:
        columns = Columns(**options.columns)
    except ValueError as error:
        raise ConfigError(f"--column: {error}") from None
    for _events in EventFile(options.events or "", columns, batch_rows=100).read():
        break


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
    """Return a free port for each role whose configured one is in use (or 0, for any)."""
    chosen = {}
    for name, port in ports(config).items():
        if not port or not _is_free(config.http.host, port):
            with socket.socket(listening_family(config.http.host)) as probe:
                probe.bind((config.http.host, 0))
                chosen[f"http.{name}_port"] = int(probe.getsockname()[1])
    return chosen


def _is_free(host: str, port: int) -> bool:
    with socket.socket(listening_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _feeder(options: DemoOptions, flags: Mapping[str, object]) -> ChildSpec:
    pace = ["--rate", str(options.rate), "--restamp", "--head-start", str(_HEAD_START)]
    if options.events is None:
        command = ["simulate", "--log", str(flags["log.url"]), *pace, *_SHOP]
    else:
        columns = [f"--column={role}={name}" for role, name in options.columns.items()]
        command = ["produce", *columns, "--skip-bad", *pace, "--", str(options.events)]
    return ChildSpec(
        name=FEEDER,
        command=gsr_command(*command),
        environment=as_environment(flags),
        may_finish=True,
    )


def _say_goodbye(options: DemoOptions, config: GsrConfig, figures: Figures, seconds: float) -> None:
    counted = f"{figures.clicks:,} clicks became {figures.lists:,} lists"
    lines = [
        "",
        f"In {seconds:.0f} seconds {counted}; the model reached version {figures.version}.",
    ]
    if figures.scored:
        lines.append(
            f"Of the recent clicks, each ranked before it was learned, so many were among the ten "
            f"best: {hit_rates(figures)}."
        )
    where = f"--state {config.state.directory} --log {config.log.url}"
    lines += [
        "",
        "Try next:",
        f"  gsr models list --state {config.state.directory}",
        f"  gsr log topics --log {config.log.url}",
        f"  gsr run {where}",
    ]
    if options.events is None:
        lines.append("  gsr run --demo --events clicks.csv.gz      the same with your own clicks")
    lines.append(
        "  gsr replay clicks.csv.gz --out report      quality on your own clicks, with plots"
    )
    sys.stdout.write("\n".join(lines) + "\n")
