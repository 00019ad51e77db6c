"""Topics are listed, and kept as the configuration says."""

import json

import pytest

from tests.consumers.command_line import gsr


@pytest.mark.usefixtures("topics")
def test_topics_are_listed_for_people_and_programs() -> None:
    """The table names each topic; --json says the same."""
    assert "clicks.dlq" in gsr("log", "topics").stdout
    rows = json.loads(gsr("log", "topics", "--json").stdout)
    assert {row["topic"] for row in rows} >= {"clicks", "sequences", "recommendations"}
    assert gsr("log", "clean").exit_code == 0


@pytest.mark.usefixtures("terminal", "topics")
def test_retention_follows_the_configuration() -> None:
    """Who feeds a topic that differs is refused; one command brings it into line."""
    day = ("--set", "log.clicks_retention_seconds=86400")
    fed = ("simulate", "--log", "embedded:run/log", "--events", "1")
    refused = gsr(*fed, *day)
    assert refused.exit_code == 6
    assert "gsr log retain" in refused.stderr
    assert "7 days" in gsr("log", "topics", *day).stdout
    dry = gsr("log", "retain", *day, "--dry-run")
    assert "clicks: 7 days becomes 1 days" in dry.stderr
    assert gsr("log", "retain", *day, answer="n\n").exit_code == 1
    assert gsr(*fed, *day).exit_code == 6
    assert gsr("log", "retain", *day, "--yes").exit_code == 0
    assert gsr(*fed, *day).exit_code == 0
    assert "every topic keeps" in gsr("log", "retain", *day).stderr
