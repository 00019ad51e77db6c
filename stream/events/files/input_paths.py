"""The event files that the operator's paths stand for; directories and formats."""

import errno
import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from stream.errors import EventFileError
from stream.events.files.input_file import STANDARD_INPUT, InputFile, unreadable

FORMATS: Final[dict[str, str]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PARQUET: Final = b"PAR1"
_COMPRESSED: Final = (".gz", ".zst", ".zstd")
_LOGGER: Final = logging.getLogger(__name__)


def format_of(path: Path) -> str | None:
    """Return what a file's name says it is: csv, jsonl or parquet; None: it says nothing.

    >>> format_of(Path("clicks.CSV.gz")), format_of(Path("clicks"))
    ('csv', None)
    """
    name = Path(path.name.lower())
    packed = name.suffix in _COMPRESSED
    return FORMATS.get(name.with_suffix("").suffix if packed else name.suffix)


def found_format(file: InputFile, start: bytes, *, packed: bool) -> str:
    """Return a file's format, by its name, else by how it begins: csv, jsonl or parquet.

    Parameters
    ----------
    file
        The file.
    start
        Its first bytes, unpacked.
    packed
        Whether it is compressed.

    Raises
    ------
    EventFileError
        It is Parquet, which nobody can read in pieces once it is compressed as a whole.
    """
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(_PARQUET):
        if packed:
            raise EventFileError(file.name, "is a Parquet file packed once more: unpack it first")
        return "parquet"
    return format_of(file.path) or ("jsonl" if text.startswith(b"{") else "csv")


def input_files(paths: Iterable[Path]) -> list[InputFile]:
    """Return the files of paths, in order; those of a directory by name, from all its levels.

    Names that begin with a dot or an underscore mark what other programs keep beside their data.

    Raises
    ------
    EventFileError
        There is no such file, or no right to read it; a directory holds no event file, or several
        formats; or standard input comes twice.
    """
    files: list[InputFile] = []
    for path in paths:
        if str(path) not in STANDARD_INPUT and path.is_dir():
            files.extend(map(InputFile, _inside(path)))
        else:
            files.append(_readable(InputFile(path)))
    if sum(file.is_standard_input for file in files) > 1:
        raise EventFileError("standard input", "is named twice and can be read only once")
    return files


def _readable(file: InputFile) -> InputFile:
    """Refuse a file now, and not after those before it were read."""
    if not file.is_standard_input:
        try:
            file.path.stat()
            if not os.access(file.path, os.R_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise EventFileError(file.name, unreadable(error)) from error
    return file


def _inside(directory: Path) -> list[Path]:
    try:
        below = sorted(directory.rglob("*"))
    except OSError as error:
        raise EventFileError(str(directory), f"cannot be listed ({error.strerror})") from error
    visible = [
        path
        for path in below
        if not any(part.startswith((".", "_")) for part in path.relative_to(directory).parts)
        and path.is_file()
    ]
    found = {path: kind for path in visible if (kind := format_of(path)) is not None}
    kinds = Counter(found.values())
    if not found:
        raise EventFileError(
            str(directory),
            f"is a directory without event files ({', '.join(FORMATS)}): name the files",
        )
    if len(kinds) > 1:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        raise EventFileError(
            str(directory), f"holds event files of several formats ({counts}): name the files"
        )
    if len(found) < len(visible):
        _LOGGER.warning(
            "%s: reads %d of %d files; by their names the others are no event files",
            directory,
            len(found),
            len(visible),
        )
    return list(found)
