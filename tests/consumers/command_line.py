"""The `gsr` command run inside the test's process, in the current directory."""

from typer.testing import CliRunner, Result

from consumers.cli.application import app
from stream.clock import SystemClock
from stream.log.opening import open_log


def gsr(*arguments: str, answer: str | bytes | None = None) -> Result:
    """Run a command; `answer` is what it reads on standard input."""
    return CliRunner().invoke(app, arguments, input=answer, prog_name="gsr")


def values(topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Return key and value of each record on a topic of the log where commands look for it."""
    log = open_log("embedded:run/log", SystemClock())
    reader = log.reader(topic)
    found = []
    while batches := reader.poll(1000, 0.0):
        for batch in batches:
            found += list(zip(batch.keys, batch.values, strict=True))
    reader.close()
    log.close()
    return found
