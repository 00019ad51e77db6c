"""Each alert fires when it should, stays silent when it should, and says what to do."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.metrics.catalogue import CATALOGUE
from tests.deploy.files import PROMETHEUS, ROOT, alert_rules, anchors, read_yaml

RULES = alert_rules()
NAMES = [rule["alert"] for rule in RULES]
TESTS = ("alerts_test.yml", "alerts_slow_test.yml")
OF_THE_LIBRARY = {
    "up",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
}


def promtool(program: str, *arguments: str, directory: Path = PROMETHEUS) -> str:
    run = subprocess.run(
        [program, *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_configuration_and_rules_are_sound(program: Callable[[str], str]) -> None:
    """Prometheus takes both files as they are."""
    found = promtool(program("promtool"), "check", "config", "prometheus.yml")
    assert f"{len(RULES)} rules found" in found


def test_alerts_fire_and_stay_silent(program: Callable[[str], str]) -> None:
    """The unit tests beside the rules."""
    promtool(program("promtool"), "test", "rules", *TESTS)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_seen_firing_and_silent(name: str) -> None:
    """An alert without a test is a guess."""
    cases = [
        case
        for file in TESTS
        for test in read_yaml(PROMETHEUS / file)["tests"]
        for case in test["promql_expr_test"]
        if f'"{name}"' in case["expr"]
    ]
    assert any(case["exp_samples"] for case in cases)
    assert any(not case["exp_samples"] for case in cases)


def test_the_unit_tests_notice_a_broken_rule(program: Callable[[str], str], tmp_path: Path) -> None:
    """Limits a hundred times higher or lower make the tests fail: they test something."""
    tests = shutil.copy(PROMETHEUS / "alerts_test.yml", tmp_path)
    rules = (PROMETHEUS / "alerts.yml").read_text()
    for change in (r"\1 \g<2>00", r"\1 0.00\2"):
        (tmp_path / "alerts.yml").write_text(
            re.sub(r"( >) (\d+)$", change, rules, flags=re.MULTILINE)
        )
        run = subprocess.run(
            [program("promtool"), "test", "rules", str(tests)], capture_output=True, check=False
        )
        assert run.returncode != 0


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_metrics_of_alerts_exist(rule: dict[str, str]) -> None:
    """A rule over a name that nobody exports never fires."""
    known = {
        name
        for spec in CATALOGUE
        for name in (
            [f"{spec.name}_{part}" for part in ("bucket", "sum", "count")]
            if spec.kind == "histogram"
            else [spec.name]
        )
    }
    named = set(re.findall(r"\b(?:gsr|process|up)[a-z_]*\b", re.sub(r'"[^"]*"', "", rule["expr"])))
    assert named
    assert named - known <= OF_THE_LIBRARY


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_label_values_of_alerts_exist(rule: dict[str, str]) -> None:
    """A selector for a value that a label never has selects nothing."""
    labels = {spec.name: spec.labels for spec in CATALOGUE}
    for name, selector in re.findall(r"(gsr_[a-z_]+)\{([^}]*)\}", rule["expr"]):
        for label, pattern in re.findall(r'(\w+)=~?"([^"]*)"', selector):
            values = labels[name][label]
            assert any(re.fullmatch(pattern, value) for value in values), (name, label, pattern)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_alerts_say_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    """Severity, summary, description, and a page of the manual."""
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert "for" in rule
    notes = rule["annotations"]
    assert notes["summary"].endswith((".", "}}"))
    assert len(notes["description"]) > 60
    document, _, anchor = notes["runbook"].partition("#")
    assert anchor == str(rule["alert"]).lower()
    assert anchor in anchors(ROOT / document)


def test_alert_names_are_unique() -> None:
    """Two alerts of one name cannot be told apart."""
    assert len(set(NAMES)) == len(NAMES)
