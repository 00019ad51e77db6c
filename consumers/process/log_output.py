"""How messages look on standard error: one line each, for people or for collectors."""

import json
import logging
import sys
import time
from typing import TextIO

from consumers.config import ProcessSection


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
    handler.addFilter(ClientRarely())
    handler.setFormatter(
        JsonFormatter(name)
        if section.log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(section.log_level.upper())
    # The Kafka client tells of every connection; what matters of it shows as metrics.
    logging.getLogger("kafka").setLevel(
        logging.NOTSET if section.log_level == "debug" else max(root.level, logging.WARNING)
    )
    logging.captureWarnings(capture=True)


class ClientRarely(logging.Filter):
    """Lets the Kafka client say each thing once a minute: while brokers are away it says much.

    Examples
    --------
    >>> rarely = ClientRarely()
    >>> said = logging.makeLogRecord({"name": "kafka.net", "msg": "%s is away", "created": 5.0})
    >>> rarely.filter(said), rarely.filter(said)
    (True, False)
    """

    _SECONDS = 60.0
    _MOST = 1000

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to show `record`."""
        if not record.name.startswith("kafka."):
            return True
        key = (record.name, str(record.msg))
        before = self._said.get(key)
        if before is not None and record.created - before < self._SECONDS:
            return False
        if len(self._said) >= self._MOST:
            self._said.clear()
        self._said[key] = record.created
        return True


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
        return json.dumps(fields, default=str, ensure_ascii=False)
