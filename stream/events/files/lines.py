"""Blocks of whole lines of a text file."""

from collections.abc import Iterable, Iterator
from typing import Final

from stream.errors import EventFileError

# A longer line is a damaged or a foreign file, and would have to be held in memory.
MAX_LINE_BYTES: Final = 1024 * 1024
# Zeros further down are damage of a row, and foreign formats have some this early.
_JUDGED_BYTES: Final = 1024
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def whole_lines(path: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut blocks so that each ends with a line; without the byte order mark.

    Parameters
    ----------
    path
        The file, for error messages.
    blocks
        The file's bytes.

    Raises
    ------
    EventFileError
        It is empty, no text, or has a line of more than 1 MiB.

    Examples
    --------
    >>> list(whole_lines("f", [b"a\nb", b"c\r\n", b"d"]))
    [b'a\n', b'bc\r\n', b'd']
    """
    rest = b""
    started = False
    for block in blocks:
        data = rest + block
        if not started:
            _check_text(path, data)
            data = data.removeprefix(_BOM)
            started = True
        if len(data) > MAX_LINE_BYTES and (place := _long_line(data)) is not None:
            if place:
                yield data[:place]
            raise EventFileError(
                path, "a line has more than 1 MiB: this is no such file, or it is damaged"
            )
        end = data.rfind(b"\n") + 1
        if end == 0:
            # Lines may end with a carriage return alone; the last byte may be half a CRLF.
            end = data.rfind(b"\r", 0, len(data) - 1) + 1
        if end:
            yield data[:end]
        rest = data[end:]
    if not started:
        raise EventFileError(path, "is empty: no header and no row in it")
    if rest:
        yield rest


def _check_text(path: str, start: bytes) -> None:
    if start.startswith(_UTF16):
        raise EventFileError(
            path, "is UTF-16 text: save it as UTF-8, such as with iconv -f UTF-16 -t UTF-8"
        )
    if b"\0" in start[:_JUDGED_BYTES]:
        raise EventFileError(
            path,
            "is binary: expected CSV or JSON lines as text in UTF-8, or Parquet (.parquet)",
        )


def _long_line(data: bytes) -> int | None:
    """Return where the first line begins that is too long; None without one.

    The last line may go on, and half a line end does not count.
    """
    start = 0
    for line in data.split(b"\n"):
        for part in line.split(b"\r") if len(line) > MAX_LINE_BYTES else [line]:
            if len(part) > MAX_LINE_BYTES:
                return start
            start += len(part) + 1
    return None
