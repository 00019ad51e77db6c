"""Exit codes of the `gsr` command.

==== ===========================================================================
0    done
1    failed in a way that has no number of its own
2    wrong usage or wrong setting
3    too many bad records: ingest stopped
4    a role of `gsr run` failed for good
5    state: locked, of another shape, corrupt; or a disk is full
6    the event log: a topic is missing or differs, is damaged, or cannot be reached
7    an artifact is missing or torn
8    a port is in use
9    what was asked for does not exist
10   an event file cannot be read
11   the model
12   clicks left the log before ingest applied them, or clicks is another topic than before
13   packages that only this command needs are not installed
130  interrupted by Ctrl-C
141  the reader of our output went away
143  ended by SIGTERM before its end
==== ===========================================================================
"""

from typing import Final

from consumers.errors import GsrError
from consumers.runtime.outputs import NO_SPACE
from gsr.errors import CountersFullError, ModelError
from stream.errors import EventFileError, LogError, LogFullError, StateError, StreamError

STATE_EXIT_CODE: Final = 5
MODEL_EXIT_CODE: Final = 11
INTERRUPTED_EXIT_CODE: Final = 130
BROKEN_PIPE_EXIT_CODE: Final = 141
TERMINATED_EXIT_CODE: Final = 143

EXPECTED_ERRORS: Final = (GsrError, StreamError, ModelError)
"""Errors whose message is meant for the operator; no traceback is shown."""


def exit_code(error: BaseException) -> int:
    """Return the exit code after `error`.

    Examples
    --------
    >>> exit_code(LogError("away"))
    6
    >>> exit_code(ValueError("a bug"))
    1
    """
    if isinstance(error, GsrError):
        return error.exit_code
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return STATE_EXIT_CODE
    by_kind = (
        ((StateError, LogFullError, CountersFullError), STATE_EXIT_CODE),
        (LogError, 6),
        (EventFileError, 10),
        (ModelError, MODEL_EXIT_CODE),
    )
    return next((code for kind, code in by_kind if isinstance(error, kind)), 1)
