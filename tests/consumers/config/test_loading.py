"""Settings: where they come from, which one wins, and what a wrong one is answered with."""

from pathlib import Path

import pytest

from consumers.config.loading import as_environment, load_config, read_options
from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from gsr.counters.event_weights import MAX_EVENT_NAMES


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GSR_CONFIG", raising=False)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_nothing_given_means_the_defaults() -> None:
    """Without file, variables and flags the defaults hold."""
    assert load_config() == GsrConfig()


def test_flags_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source hides the weaker ones, setting by setting."""
    file = written(
        tmp_path / "gsr.toml",
        "[trainer]\ncycle_seconds = 1\nbudget_seconds = 2\nview_interval_seconds = 3\n",
    )
    monkeypatch.setenv("GSR_TRAINER__CYCLE_SECONDS", "10")
    monkeypatch.setenv("GSR_TRAINER__BUDGET_SECONDS", "20")
    trainer = load_config(file, {"trainer.cycle_seconds": 100}).trainer
    assert trainer.cycle_seconds == 100
    assert trainer.budget_seconds == 20
    assert trainer.view_interval_seconds == 3
    assert trainer.cycle_min_clicks == GsrConfig().trainer.cycle_min_clicks


def test_the_file_may_be_named_by_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GSR_CONFIG stands in for --config."""
    file = written(tmp_path / "gsr.toml", "[http]\ningest_port = 1234\n")
    monkeypatch.setenv("GSR_CONFIG", str(file))
    assert load_config().http.ingest_port == 1234


def test_a_tilde_is_home_wherever_a_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In variables, in the file and in flags; $HOME and names that begin otherwise stay."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "gsr.toml").write_text('[kafka]\nssl_ca_file = "~/ca.pem"\n')
    monkeypatch.setenv("GSR_CONFIG", "~/gsr.toml")
    monkeypatch.setenv("GSR_ARTIFACTS__URL", "~/artifacts")
    monkeypatch.setenv("GSR_ARTIFACTS__OPTIONS_FILE", "$HOME/~/options.toml")
    config = load_config(None, {"log.url": "embedded:~/log", "state.directory": "~/state"})
    assert config.kafka.ssl_ca_file == f"{tmp_path}/ca.pem"
    assert config.artifacts.url == f"{tmp_path}/artifacts"
    assert config.artifacts.options_file == "$HOME/~/options.toml"
    assert config.log.url == f"embedded:{tmp_path}/log"
    assert config.state.directory == tmp_path / "state"


def test_a_home_that_does_not_exist_is_called_by_the_setting() -> None:
    """Of the stronger source only: what it hides is not looked at."""
    with pytest.raises(ConfigError, match=r"state.directory \(--state\): ~nobody-here/x: .*home"):
        load_config(None, {"state.directory": "~nobody-here/x"})


def test_a_table_in_a_stronger_source_replaces_the_weaker_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Event weights are one setting: they are replaced as a whole."""
    file = written(tmp_path / "gsr.toml", "[events]\nweights = {click = 1.0, buy = 5.0}\n")
    assert load_config(file).events.weights == {"click": 1.0, "buy": 5.0}
    monkeypatch.setenv("GSR_EVENTS__WEIGHTS", '{"click": 2}')
    assert load_config(file).events.weights == {"click": 2.0}


def test_off_switches_a_limit_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What TOML cannot say with null is said with "off"."""
    monkeypatch.setenv("GSR_LOG__CLICKS_RETENTION_SECONDS", "off")
    assert load_config().log.clicks_retention_seconds is None


def test_the_model_follows_the_state() -> None:
    """Time scales and event weights are set once, for the state."""
    config = load_config(
        flags={"state.half_lives_seconds": [60.0], "events.weights": {"click": 1.0, "buy": 4.0}}
    )
    assert config.model.half_lives == (60.0,)
    assert config.model.event_weights == (1.0, 4.0)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"trainer.cycle_second": 1}, ["trainer.cycle_second", "did you mean", "cycle_seconds"]),
        ({"trianer.cycle_seconds": 1}, ["trianer", "did you mean trainer?"]),
        ({"ingest.cycle_seconds": 1}, ["did you mean trainer.cycle_seconds?"]),
        ({"wholly.other": 1}, ["no such section", "publisher"]),
        ({"trainer.cycle_seconds": -1}, ["--set trainer.cycle_seconds", "greater than 0", "-1"]),
        ({"log.url": 3}, ["log.url (--log)", "string"]),
        ({"process.log_format": "xml"}, ["'text' or 'json'", "'xml'"]),
        ({"model.half_lives": [1.0]}, ["follows state.half_lives_seconds"]),
        ({"log.clicks": "items"}, ["same name"]),
        ({"log.clicks": "My_Clicks"}, ["lower-case"]),
        ({"events.weights": {"buy": 1.0}}, ["default_event"]),
        ({"trainer.cycle_seconds": float("inf")}, ["finite"]),
        ({"model.dimension": "wide"}, ["model.dimension", "integer"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_source_and_what_is_allowed(
    flags: dict[str, object], words: list[str]
) -> None:
    """The message is all that an operator needs."""
    with pytest.raises(ConfigError) as caught:
        load_config(flags=flags)
    for word in words:
        assert word in str(caught.value)


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    """One run of the command finds every mistake of the file."""
    file = written(tmp_path / "g.toml", "[trainer]\ncycle_seconds = 0\nbudget_seconds = 'x'\n")
    with pytest.raises(ConfigError, match=r"(?s)cycle_seconds.*budget_seconds") as caught:
        load_config(file)
    assert str(caught.value).count(str(file)) == 2


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GSR_TRAINER__CYCLE_SECOND", "1", "did you mean GSR_TRAINER__CYCLE_SECONDS"),
        ("GSR_TRAINER__CYCLE_SECONDS", "abc", "environment variable GSR_TRAINER__CYCLE_SECONDS"),
        ("GSR_STATE__HALF_LIVES_SECONDS", "[1,", "GSR_STATE__HALF_LIVES_SECONDS is not JSON"),
        ("GSR_STATE__HALF_LIVES_SECONDS", "1, 2", "lists and tables are written as JSON"),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Misspelt and malformed variables are refused."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        load_config()


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets GSR_SERVICE_HOST for a service named gsr."""
    monkeypatch.setenv("GSR_SERVICE_HOST", "10.0.0.1")
    assert load_config() == GsrConfig()


@pytest.mark.parametrize(
    ("text", "words"), [(None, "No such file"), ("a = ", "not a TOML"), ("log = 3", "is a section")]
)
def test_a_bad_file_is_named(text: str | None, words: str, tmp_path: Path) -> None:
    """A missing, malformed or flat file is refused."""
    file = tmp_path / "gsr.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(file)
    assert "gsr.toml" in str(caught.value)


def test_flags_reach_children_as_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the supervisor was told, its children are told."""
    flags = {"state.half_lives_seconds": [60.0, 600.0], "log.url": "embedded:x", "http.host": "::1"}
    for name, value in as_environment(flags).items():
        monkeypatch.setenv(name, value)
    assert load_config() == load_config(flags=flags)


def test_secrets_of_the_options_file_do_not_show(tmp_path: Path) -> None:
    """The options of a remote file system are printed as stars."""
    options = read_options(str(written(tmp_path / "o.toml", 'key = "hush"\nanon = false\n')))
    assert "hush" not in repr(options)
    assert options["anon"] is False


def test_settings_are_frozen_and_checked_on_copy() -> None:
    """A configuration does not change under those who hold it."""
    config = GsrConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.trainer.cycle_seconds = 3.0
    assert config.with_values({"trainer": {"cycle_seconds": 3.0}}).trainer.cycle_seconds == 3.0
    with pytest.raises(ValueError, match="greater than 0"):
        config.with_values({"trainer": {"cycle_seconds": 0.0}})


def test_as_many_events_as_the_codec_takes() -> None:
    """The limit of the documents is the limit of the settings."""
    weights = {"click": 1.0, **{f"e{number}": 1.0 for number in range(MAX_EVENT_NAMES - 1)}}
    assert len(load_config(flags={"events.weights": weights}).events.rules().weights) == 255
    with pytest.raises(ConfigError, match=r"events\.weights"):
        load_config(flags={"events.weights": {**weights, "one_more": 1.0}})
