"""One broker process of Apache Kafka: started, killed, paused and restarted by its process id."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

READY: Final = "Kafka Server started"
PORT_TAKEN: Final = "Address already in use"
_TAIL_CHARACTERS: Final = 3000
_LOGGING: Final = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
logger.cleaner.name=org.apache.kafka.storage.internals.log
logger.cleaner.level=WARN
"""


class BrokerFailedError(Exception):
    """A broker did not start or did not stop; the message ends with the end of its log."""


class KafkaNode:
    """A broker (and controller) with its own directory, which outlives restarts.

    Parameters
    ----------
    node_id
        From 1.
    directory
        Holds `server.properties`, the records and `broker.log`.
    jars
        What `kafka_jars` returned.
    properties
        The broker's settings.
    java_options
        Of the virtual machine.
    """

    def __init__(
        self,
        node_id: int,
        directory: Path,
        jars: Path,
        properties: dict[str, str],
        java_options: tuple[str, ...],
    ) -> None:
        self.node_id = node_id
        self.log_file = directory / "broker.log"
        self.data_directory = directory / "data"
        self._properties_file = directory / "server.properties"
        self._logging_file = directory / "log4j2.properties"
        self._jars = jars
        self._java_options = java_options
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._seen_bytes = 0
        directory.mkdir()
        self._logging_file.write_text(_LOGGING)
        settings = {**properties, "log.dirs": str(self.data_directory)}
        self._properties_file.write_text(
            "".join(f"{name}={value}\n" for name, value in settings.items())
        )

    @property
    def pid(self) -> int | None:
        """The broker's process id; None while it is down."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (a paused one is)."""
        return self._process is not None and self._process.poll() is None

    def format(self, cluster_id: str, *, scram_users: dict[str, str] | None = None) -> None:
        """Prepare empty storage, with the SCRAM-SHA-512 credentials of `scram_users`."""
        users = [
            f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]"
            for name, password in (scram_users or {}).items()
        ]
        command = self._java("kafka.tools.StorageTool", ("-Xmx128m",))
        run = subprocess.run(
            [
                *command,
                "format",
                f"--cluster-id={cluster_id}",
                "-c",
                str(self._properties_file),
                *users,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if run.returncode != 0:
            raise BrokerFailedError(f"storage cannot be formatted: {run.stdout}{run.stderr}")

    def start(self) -> None:
        """Start the process; `await_ready` says when it serves."""
        self._seen_bytes = self.log_file.stat().st_size if self.log_file.exists() else 0
        command = self._java("kafka.Kafka", self._java_options)
        # Should the tests be killed, the kernel takes the broker along.
        if (setpriv := shutil.which("setpriv")) is not None:
            command = [setpriv, "--pdeathsig", "KILL", "--", *command]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self._properties_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to handle
            )

    def await_ready(self, timeout_seconds: float = 90.0) -> None:
        """Wait until the broker serves clients.

        Raises
        ------
        BrokerFailedError
            It ended, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while READY not in self.new_log():
            if not self.running:
                raise BrokerFailedError(f"broker {self.node_id} ended: {self.log_tail()}")
            if time.monotonic() > deadline:
                raise BrokerFailedError(f"broker {self.node_id} is not ready: {self.log_tail()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process, self._paused = None, False

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """End the process in order; one that does not end in time is killed."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
        self.kill()

    def pause(self) -> None:
        """Let the process hang: connections stay open and nothing answers."""
        if self.running and not self._paused:
            os.kill(self._require_pid(), signal.SIGSTOP)
            self._paused = True

    def resume(self) -> None:
        """Undo `pause`."""
        if self.running and self._paused:
            os.kill(self._require_pid(), signal.SIGCONT)
        self._paused = False

    def new_log(self) -> str:
        """Return what the broker has logged since it was last started."""
        with self.log_file.open("rb") as log:
            log.seek(self._seen_bytes)
            return log.read().decode(errors="replace")

    def log_tail(self) -> str:
        """Return the end of the log, for a failure's message."""
        return f"{self.log_file} ends with\n{self.new_log()[-_TAIL_CHARACTERS:]}"

    def _require_pid(self) -> int:
        if self._process is None:
            raise BrokerFailedError(f"broker {self.node_id} is down")
        return self._process.pid

    def _java(self, main: str, options: tuple[str, ...]) -> list[str]:
        return [
            "java",
            *options,
            f"-Dlog4j2.configurationFile={self._logging_file}",
            "-cp",
            f"{self._jars}/*",
            main,
        ]
