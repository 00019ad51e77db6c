"""Ids in paths: percent-encoded, any Unicode, slashes included."""

from collections.abc import Iterable
from typing import Annotated, Final
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Path

from consumers.roles.serve.problems import wrong_id
from stream.events.clicks.fields import id_fault

_DESCRIPTION: Final = "Percent-encoded; 1 to 256 bytes as UTF-8."


async def _user_id(
    user_id: Annotated[str, Path(description=_DESCRIPTION, min_length=1)],
) -> str:
    return decoded_id("user_id", user_id)


async def _item_id(
    item_id: Annotated[str, Path(description=_DESCRIPTION, min_length=1)],
) -> str:
    return decoded_id("item_id", item_id)


UserId = Annotated[str, Depends(_user_id)]
ItemId = Annotated[str, Depends(_item_id)]


def decoded_id(where: str, encoded: str) -> str:
    """Return the id that a path names.

    Raises
    ------
    ProblemError
        It is none.
    """
    try:
        text = unquote_to_bytes(encoded.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise wrong_id(where, "is not UTF-8: percent-encode the bytes of UTF-8 text") from None
    check_ids(where, [text])
    return text


def check_ids(where: str, ids: Iterable[str]) -> None:
    """Refuse ids that no record may have.

    Raises
    ------
    ProblemError
        One of them is none.
    """
    for text in ids:
        fault = id_fault("the id", text)
        if fault is not None:
            raise wrong_id(where, fault.detail)
