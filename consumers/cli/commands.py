"""Declaration of commands: examples early in the help, expected errors as one plain line."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import typer

from consumers.cli.output import say
from consumers.config.home_paths import home_path
from consumers.errors import ConfigError, RoleFailedError
from consumers.exit_codes import (
    BROKEN_PIPE_EXIT_CODE,
    EXPECTED_ERRORS,
    INTERRUPTED_EXIT_CODE,
    exit_code,
)
from consumers.runtime.outputs import NO_SPACE
from consumers.terminal_text import printable
from gsr.compiling import compiling_told
from stream.errors import StateCorruptError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_OF_MANY_LINES: Final = (ConfigError, RoleFailedError, StateCorruptError)
"""Errors that break their lines themselves; in others a line break is somebody's id or file."""


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands in the style of `gsr`."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def command(
    app: typer.Typer, name: str, *examples: str
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """Add the decorated function to `app`; the help is its docstring, with examples early on."""

    def decorate(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        @functools.wraps(function)
        def wrapped(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            return _guarded(lambda: function(*args, **_with_home(kwargs)))

        summary, _, more = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
        lines = "\n".join(f"  {example}" for example in examples)
        # \b keeps the line breaks of the paragraph that it begins.
        text = f"{summary}\n\n\b\nExamples:\n{lines}\n\n{more}"
        app.command(name, help=text, short_help=summary)(wrapped)
        return function

    return decorate


def _with_home(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a command's arguments; paths with their `~` replaced."""

    def replaced(value: object) -> object:
        if isinstance(value, list):
            return [replaced(one) for one in value]
        return home_path(value) if isinstance(value, Path) else value

    return {name: replaced(value) for name, value in arguments.items()}


def confirm(question: str, *, yes: bool) -> None:
    """Go on only after a yes; never wait for an answer where nobody can give one."""
    if yes:
        return
    if not can_ask():
        raise typer.BadParameter("nobody is here to ask: give --yes", param_hint="--yes")
    sys.stderr.write(f"{printable(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        say("nothing was changed")
        raise typer.Exit(1)


def can_ask() -> bool:
    """Return whether a person sits at the terminal."""
    return sys.stdin.isatty()


def _guarded(work: Callable[[], _Result]) -> _Result:
    """Do the work; end the process with one plain line and the right code where it fails."""
    try:
        with compiling_told(say):
            result = work()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has what it wanted.
        _detach_output()
        raise typer.Exit(BROKEN_PIPE_EXIT_CODE) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(INTERRUPTED_EXIT_CODE) from None
    except EXPECTED_ERRORS as error:
        say(f"error: {error if isinstance(error, _OF_MANY_LINES) else printable(str(error))}")
        raise typer.Exit(exit_code(error)) from None
    except OSError as error:
        raise typer.Exit(say_system_error(error)) from None
    return result


def say_system_error(error: OSError) -> int:
    """Say in one line what the system refused; return the exit code.

    Raises
    ------
    OSError
        The same, where it names nothing that an operator could look at.
    """
    # A file that is written is named by what writes it: only standard output has no name.
    if error.filename is None and error.errno not in NO_SPACE:
        raise error
    where = printable(str(error.filename or "standard output, which is cut off"))
    say(f"error: {where}: {error.strerror}")
    if error.filename is None:
        _detach_output()
    return exit_code(error)


def _detach_output() -> None:
    """Keep buffered data from standard output, where it would raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
