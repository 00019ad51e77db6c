"""`gsr run`: the roles as child processes of one supervisor."""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from consumers.config.loading import CONFIG_VARIABLE, as_environment, load_config
from consumers.config.settings import GsrConfig
from consumers.runtime.instance import instance_of
from consumers.runtime.interruption import signals_handled
from consumers.runtime.log_output import set_up_logging
from consumers.runtime.supervisor import ChildSpec, Supervisor, gsr_command
from consumers.terminal_text import printable
from stream.address import Address
from stream.clock import SystemClock

SERVE: Final = "serve"
"""The role that may be left out: nothing else needs it."""

ROLE_COMMANDS: Final[Mapping[str, str]] = {
    "ingest": "ingest",
    "trainer": "train",
    "publisher": "publish",
    SERVE: "serve",
}
_WIDEST: Final = max(map(len, ROLE_COMMANDS))


def run_all(config_file: Path | None, flags: Mapping[str, object], *, serve: bool = True) -> None:
    """Run the roles until SIGTERM, SIGINT or SIGHUP; without `serve` there is no API.

    Raises
    ------
    ConfigError
        A setting is wrong; nothing has been started.
    RoleFailedError
        A role failed for good; all were stopped.
    StateError
        The state directory is in use by another `gsr run`, or cannot be written.
    """
    config = load_config(config_file, flags)
    set_up_logging("supervisor", config.process)
    sys.stderr.write(
        f"clicks are read from topic {config.log.clicks} of {config.log.url}, lists go to topic "
        f"{config.log.recommendations};\nstate is in {config.state.directory}. Ctrl-C ends all "
        f"roles in order.\n{_api_line(config) if serve else ''}"
    )
    output = write_raw if config.process.log_format == "json" else write_prefixed
    with instance_of(config.state.directory) as name, stopped_by_signals() as stop:
        flags = {**flags, **member_flags(config, name)}
        children = role_children(config_file, flags, serve=serve)
        Supervisor(children, config.process, SystemClock(), output).run(stop)


def member_flags(config: GsrConfig, name: str) -> dict[str, object]:
    """Return the settings that make the roles static members under `name`, where none is set."""
    return {} if config.kafka.group_instance_id else {"kafka.group_instance_id": name}


def api_address(config: GsrConfig) -> str:
    """Return the address of the API, as far as it is chosen."""
    settings = config.serve
    scheme = "https" if settings.tls_certificate_file else "http"
    return f"{scheme}://{Address(settings.host, settings.port)}"


def _api_line(config: GsrConfig) -> str:
    """Return where the API answers, once it does."""
    if not config.serve.port:
        return "a page, and lists over HTTP, are at a port that serve's log names.\n"
    where = api_address(config)
    return f"{where}/ is a page to look at, {where}/v1 answers (--no-serve leaves both out).\n"


def role_children(
    config_file: Path | None, flags: Mapping[str, object], *, serve: bool = True
) -> list[ChildSpec]:
    """Return the roles as children with this configuration, with the API or without."""
    environment = child_environment(config_file, flags)
    return [
        ChildSpec(name=name, command=gsr_command(command), environment=environment)
        for name, command in ROLE_COMMANDS.items()
        if serve or name != SERVE
    ]


def child_environment(config_file: Path | None, flags: Mapping[str, object]) -> dict[str, str]:
    """Return the variables with which a child sees this configuration."""
    environment = as_environment(flags)
    if config_file is not None:
        environment[CONFIG_VARIABLE] = str(config_file.absolute())
    return environment


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM, SIGINT and SIGHUP set while the block runs."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    with signals_handled((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), handle):
        yield stop


def write_prefixed(name: str, line: str) -> None:
    """Print a child's line behind its name."""
    sys.stderr.write(f"{name:<{_WIDEST}} | {printable(line)}\n")


def write_raw(_name: str, line: str) -> None:
    """Print a child's line as it is: lines of JSON name their role themselves."""
    sys.stderr.write(f"{line}\n")


def ports(config: GsrConfig) -> dict[str, int]:
    """Return role -> the port of its HTTP server."""
    return {name: getattr(config.http, f"{name}_port") for name in ROLE_COMMANDS}
