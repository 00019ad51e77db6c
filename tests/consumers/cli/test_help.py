"""`--help` of every command: what it does, then a line to copy."""

from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from consumers.cli.application import app
from tests.consumers.command_line import gsr


def commands(command: object, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command below `command` that does something."""
    if not isinstance(command, TyperGroup):
        yield path
        return
    for name, below in command.commands.items():
        yield from commands(below, *path, name)


ALL = list(commands(get_command(app)))
GROUPS: list[tuple[str, ...]] = sorted({path[:1] for path in ALL if len(path) > 1})


def body(*path: str) -> str:
    """Return a command's help below its usage; -h and --help say the same."""
    result = gsr(*path, "--help")
    assert result.exit_code == 0
    assert gsr(*path, "-h").output == result.output
    usage, _, rest = result.output.partition("\n\n")
    assert usage.startswith("Usage: ")
    return rest


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_says_what_a_command_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    """One sentence, then lines to copy before anything else."""
    summary, _, rest = body(*path).partition("\n\n")
    assert summary.strip().endswith(".")
    assert rest.lstrip().startswith("Examples:")
    assert f"\n    gsr {' '.join(path)}" in rest


@pytest.mark.parametrize("path", [(), *GROUPS], ids=" ".join)
def test_help_of_a_group_names_its_commands(path: tuple[str, ...]) -> None:
    """One sentence, and each command with what it does."""
    shown = body(*path)
    assert shown.lstrip()[0].isupper()
    assert not shown.lstrip().startswith("Examples")
    below = {full[len(path)] for full in ALL if full and full[: len(path)] == path}
    assert all(f"\n  {name} " in shown for name in below)
