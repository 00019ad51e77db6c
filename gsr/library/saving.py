"""A recommender as one file of arrays (safetensors), with a JSON document in its header.

The file holds numbers and names, and nothing that runs when it is read. It is there whole or not at
all, and a hash tells whether it is still what was written.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from xxhash import xxh3_128

from gsr.errors import SnapshotError

FORMAT: Final = 1
KIND: Final = "gsr.StreamRecommender"

# One entry: more of them would come in any order, and files of one content would differ.
_ENTRY: Final = "gsr"

_HASH_DIGITS: Final = 32

Arrays = dict[str, npt.NDArray[Any]]


def write_file(path: str | os.PathLike[str], arrays: Arrays, document: dict[str, Any]) -> None:
    """Write a recommender's arrays and JSON values.

    Raises
    ------
    OSError
        The file cannot be written; what stood there before still does.
    """
    target = Path(path)
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps({"kind": KIND, "format": FORMAT, **document})
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        save_file(contiguous, aside, {_ENTRY: _hash(contiguous, text) + text})
        aside.replace(target)
    except SafetensorError as error:
        raise OSError(f"{target} cannot be written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)


def read_file(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, Any]]:
    """Return what `write_file` wrote.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    SnapshotError
        It holds something else, is damaged, or is of another format.
    """
    target = Path(path)
    if not target.exists():
        raise FileNotFoundError(f"there is no file {target}: name one that save() wrote")
    try:
        with safe_open(target, framework="numpy") as file:
            entry = (file.metadata() or {}).get(_ENTRY, "")
            digest, text = entry[:_HASH_DIGITS], entry[_HASH_DIGITS:]
            document = json.loads(text or "{}")
            if not isinstance(document, dict) or document.get("kind") != KIND:
                raise SnapshotError(_foreign(target, "it is of something else"))
            if document.get("format") != FORMAT:
                raise SnapshotError(
                    f"{target} has format {document.get('format')}, this version of gsr reads "
                    f"{FORMAT}: use the version that wrote it, or fit anew"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, ValueError, OSError) as error:
        raise SnapshotError(_foreign(target, str(error))) from error
    if _hash(arrays, text) != digest:
        raise SnapshotError(f"{target} is damaged: take a copy of it, or fit anew")
    return arrays, document


def _hash(arrays: Arrays, text: str) -> str:
    digest = xxh3_128(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _foreign(path: Path, why: str) -> str:
    return f"{path} is no recommender that save() wrote: {why}"
