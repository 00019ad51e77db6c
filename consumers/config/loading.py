"""Loading of the configuration: flags over environment over file over defaults.

The file is TOML, named by `--config` or by the variable GSR_CONFIG. A setting `key` of `[section]`
is the variable `GSR_SECTION__KEY` (lists and tables as JSON) and the flag `--set
section.key=VALUE`. Unknown names are refused: a misspelt setting must not be silently ignored. A
`~` at the beginning of a path is the home directory, wherever the path was written.
"""

import dataclasses
import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from consumers.config.home_paths import home_location, home_path
from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.terminal_text import printable

CONFIG_VARIABLE: Final = "GSR_CONFIG"
PREFIX: Final = "GSR_"
DERIVED: Final[Mapping[str, str]] = {
    "model.half_lives": "state.half_lives_seconds",
    "model.close_half_lives": "state.close_half_lives_seconds",
    "model.event_weights": "events.weights",
}
PLACES: Final = frozenset(
    {"log.url", "state.directory", "artifacts.url", "serve.directory", "titles.file"}
)
"""Settings that hold a path, besides those whose names end in `_file`."""
FLAG_NAMES: Final[Mapping[str, str]] = {
    "log.url": "--log",
    "state.directory": "--state",
    "process.log_format": "--log-format",
}

_Sections = dict[str, dict[str, Any]]


class _Environment(GsrConfig, BaseSettings):
    """Tells pydantic-settings the names of the variables."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_nested_max_split=1, extra="ignore"
    )


def load_config(file: Path | None = None, flags: Mapping[str, object] | None = None) -> GsrConfig:
    """Put the configuration together from flags, environment, file and defaults.

    Parameters
    ----------
    file
        The TOML file; None: the one that GSR_CONFIG names, if any.
    flags
        `section.key` -> value, from the command line.

    Raises
    ------
    ConfigError
        Names every wrong setting, where it came from and what is allowed.
    """
    file = file or (Path(name) if (name := os.environ.get(CONFIG_VARIABLE)) else None)
    file = None if file is None else home_path(file)
    merged: _Sections = {}
    origins: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for source, values in _sources(file, flags or {}):
        for section, settings in values.items():
            if not isinstance(settings, dict):
                problems.append(_unknown(section, source))
                continue
            for key, value in settings.items():
                name = f"{section}.{key}"
                origin = _origin(source, section, key)
                if key not in known_settings().get(section, ()):
                    problems.append(_unknown(name, origin))
                elif name in DERIVED:
                    problems.append(f"{name} ({origin}): follows {DERIVED[name]}; set that one")
                else:
                    merged.setdefault(section, {})[key] = value
                    origins[section, key] = origin
    if problems:
        raise ConfigError("\n".join(map(printable, problems)))
    for (section, key), origin in origins.items():
        merged[section][key] = _with_home(f"{section}.{key}", merged[section][key], origin)
    try:
        return GsrConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, origins)) from None


def _with_home(name: str, value: object, origin: str) -> object:
    """Return the value; a path with its `~` replaced."""
    if not isinstance(value, str) or not (name in PLACES or name.endswith("_file")):
        return value
    try:
        return home_location(value)
    except ConfigError as error:
        raise ConfigError(f"{name} ({origin}): {error}") from None


def known_settings() -> dict[str, tuple[str, ...]]:
    """Return section -> its settings' names.

    Examples
    --------
    >>> known_settings()["artifacts"]
    ('url', 'options_file', 'keep_checkpoints', 'keep_snapshots', 'keep_views')
    """
    return {
        section: setting_names(field.annotation)
        for section, field in GsrConfig.model_fields.items()
    }


def setting_names(section: object) -> tuple[str, ...]:
    """Return the names of a section's settings; a section is a model or a dataclass."""
    if isinstance(section, type) and issubclass(section, BaseModel):
        return tuple(section.model_fields)
    if not dataclasses.is_dataclass(section):
        raise TypeError(f"{section} is not a section of settings")
    return tuple(field.name for field in dataclasses.fields(section))


def parse_assignment(text: str) -> tuple[str, object]:
    """Split `section.key=VALUE`, as given to --set; the value is TOML, or else plain text.

    Examples
    --------
    >>> parse_assignment("trainer.cycle_seconds=10")
    ('trainer.cycle_seconds', 10)
    >>> parse_assignment("log.url=embedded:here")
    ('log.url', 'embedded:here')
    """
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise ConfigError(f"--set {text}: write it as --set section.key=VALUE")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value


def as_environment(flags: Mapping[str, object]) -> dict[str, str]:
    """Return flags as variables, so that a child process sees them too.

    Examples
    --------
    >>> as_environment({"http.ingest_port": 0, "log.url": "embedded:here"})
    {'GSR_HTTP__INGEST_PORT': '0', 'GSR_LOG__URL': 'embedded:here'}
    """
    return {
        PREFIX + name.replace(".", "__").upper(): (
            str(value) if isinstance(value, str | Path) else json.dumps(value)
        )
        for name, value in flags.items()
    }


def read_options(path: str) -> dict[str, SecretStr | Any]:
    """Read the options of a remote file system, "" is no file; texts are kept secret.

    Raises
    ------
    ConfigError
        The file is missing or is not TOML.
    """
    if not path:
        return {}
    return {
        name: SecretStr(value) if isinstance(value, str) else value
        for name, value in _read_toml(Path(path), "artifacts.options_file").items()
    }


def _sources(file: Path | None, flags: Mapping[str, object]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the sources, weakest first."""
    sources: list[tuple[str, Mapping[str, Any]]] = []
    if file is not None:
        sources.append((str(file), _read_toml(file, "--config")))
    sources.append(("environment", _read_environment()))
    from_flags: _Sections = {}
    for name, value in flags.items():
        section, _, key = name.partition(".")
        from_flags.setdefault(section, {})[key] = value
    sources.append(("flags", from_flags))
    return sources


def _read_toml(path: Path, setting: str) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(
            f"{setting}: cannot read {printable(str(path))}: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{printable(str(path))} is not a TOML file: {error}") from None


def _read_environment() -> dict[str, Any]:
    known = {
        f"{PREFIX}{section}__{key}".upper()
        for section, keys in known_settings().items()
        for key in keys
    }
    # Orchestrators add variables of their own, such as GSR_SERVICE_HOST: only ours have "__".
    ours = [name for name in os.environ if name.upper().startswith(PREFIX) and "__" in name]
    for name in ours:
        if name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigError(f"environment variable {name} is not a setting{hint}")
        if os.environ[name][:1] in ("[", "{"):
            try:
                json.loads(os.environ[name])
            except json.JSONDecodeError as error:
                raise ConfigError(f"environment variable {name} is not JSON: {error}") from None
    try:
        return EnvSettingsSource(_Environment)()
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; lists and tables are written as JSON") from None


def _origin(source: str, section: str, key: str) -> str:
    if source == "environment":
        return "environment variable " + f"{PREFIX}{section}__{key}".upper()
    if source == "flags":
        name = f"{section}.{key}"
        return FLAG_NAMES.get(name, f"--set {name}")
    return source


def _unknown(name: str, source: str) -> str:
    known = known_settings()
    section, _, key = name.partition(".")
    everything = [f"{part}.{setting}" for part, settings in known.items() for setting in settings]
    if section not in known:
        # Who forgot the section's heading meant a setting.
        full = [name for name in everything if name.endswith(f".{section}")]
        close = full or difflib.get_close_matches(section, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"sections are {', '.join(known)}"
        return f"{section} ({source}): no such section; {hint}"
    if not key:
        return f"{section} ({source}): is a section; write its settings below [{section}]"
    same_key = [full for full in everything if full.endswith(f".{key}")]
    close = (
        same_key
        or difflib.get_close_matches(name, [f"{section}.{other}" for other in known[section]], n=1)
        or difflib.get_close_matches(name, everything, n=1)
    )
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{name} ({source}): no such setting{hint}"


def _explain(error: ValidationError, origins: Mapping[tuple[str, str], str]) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        place = [str(part) for part in problem["loc"]]
        section, key = (*place, "", "")[:2]
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        given = problem["input"]
        shown = "" if isinstance(given, dict) else f", not {given!r}"
        name = ".".join(part for part in (section, key) if part)
        origin = origins.get((section, key))
        if origin is None:
            origin = next((found for (part, _), found in origins.items() if part == section), "")
        lines.append(f"{name} ({origin}): {message}{shown}" if origin else f"{name}: {message}")
    return "\n".join(map(printable, dict.fromkeys(lines)))
