"""Home directories in place of `~`, as a shell would put them there.

A shell does so only at the beginning of a word: not in `--state=~/x`, not in a file of settings.
Variables such as $HOME are left as they are, for shells to expand.
"""

from pathlib import Path
from typing import Final

from consumers.errors import ConfigError

_EMBEDDED: Final = "embedded:"


def home_path(path: Path) -> Path:
    """Return `path` with a leading `~` or `~user` replaced.

    Raises
    ------
    ConfigError
        There is no such user.

    Examples
    --------
    >>> home_path(Path("~/x")) == Path.home() / "x", str(home_path(Path("a/~b"))), str(Path("./~"))
    (True, 'a/~b', '~')
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{path}: {path.parts[0]} is nobody's home here; write out the directory in full"
        ) from None


def home_location(text: str) -> str:
    """Return a path or the URL of an embedded log with a leading `~` or `~user` replaced.

    Raises
    ------
    ConfigError
        There is no such user.

    Examples
    --------
    >>> home_location("kafka://~:9092"), home_location("embedded:run/log")
    ('kafka://~:9092', 'embedded:run/log')
    >>> home_location("embedded:~/log") == f"embedded:{Path.home()}/log"
    True
    """
    scheme = _EMBEDDED if text.startswith(_EMBEDDED) else ""
    place = text.removeprefix(scheme)
    return f"{scheme}{home_path(Path(place))}" if place.startswith("~") else text
