"""Logging to standard error: one line per message, for people or for collectors."""

import json
import logging
import sys
import time
from typing import Any, TextIO

from consumers.config.sections.process import ProcessSection
from consumers.terminal_text import printable, printable_json, printable_lines


def set_up_logging(name: str, section: ProcessSection, stream: TextIO | None = None) -> None:
    """Send all messages of this process to standard error, in the configured format.

    Parameters
    ----------
    name
        The role; shown in JSON (`gsr run` shows it before each line of text).
    section
        Level and format.
    stream
        Instead of standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter(name)
        if section.log_format == "json"
        else TextFormatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(section.log_level.upper())
    quieten_kafka_client(shown=section.log_level == "debug")
    logging.captureWarnings(capture=True)


def quieten_kafka_client(*, shown: bool) -> None:
    """Keep what the Kafka client says of itself from standard error, unless it is `shown`.

    While brokers are away it prints tracebacks and warnings by the minute. What matters of them
    is in our own errors, which name the brokers, and in the metrics. Its loggers go on working:
    `stream.log.kafka` listens to them.
    """
    client = logging.getLogger("kafka")
    client.propagate = shown
    client.setLevel(logging.NOTSET if shown else logging.WARNING)


class TextFormatter(logging.Formatter):
    """One line for people, whatever the ids hold that it names; a traceback takes more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the record without its traceback."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Return a traceback, whose last line may hold text that others wrote."""
        return printable_lines(super().formatException(ei))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, role, logger, message, and extra fields.

    Parameters
    ----------
    role
        Goes into every line.
    """

    _STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in self._STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return printable_json(json.dumps(fields, default=str, ensure_ascii=False))
