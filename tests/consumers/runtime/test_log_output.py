"""What reaches standard error, and what does not."""

import io
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from consumers.config.sections.process import ProcessSection
from consumers.runtime.log_output import set_up_logging


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    """Put back what the process's logging was."""
    root, client = logging.getLogger(), logging.getLogger("kafka")
    before = root.handlers[:], root.level, client.propagate, client.level
    yield
    root.handlers[:], root.level, client.propagate, client.level = before
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize(("level", "shown"), [("info", False), ("warning", False), ("debug", True)])
def test_the_kafka_client_speaks_at_the_debug_level_only(
    level: Literal["debug", "info", "warning"], shown: bool
) -> None:
    """Its tracebacks and its remarks about the event loop tell an operator nothing."""
    out = io.StringIO()
    set_up_logging("ingest", ProcessSection(log_level=level), out)
    logging.getLogger("kafka.net.selector").warning("blocking the event loop")
    logging.getLogger("kafka.net.transport").error("receiving", exc_info=OSError("reset"))
    logging.getLogger("stream.log.kafka.cluster.admin").warning("ours")
    assert ("event loop" in out.getvalue()) is shown
    assert ("OSError: reset" in out.getvalue()) is shown
    assert "ours" in out.getvalue()
