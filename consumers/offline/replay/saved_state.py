"""The state of running objects as one file of arrays, filled into fresh objects later.

A replay's loops hold their state in arrays, tensors, generators and plain values, reached by
attributes. `save` walks these; `restore` walks freshly made objects of the same settings beside
the file and gives them what was saved, so that they go on as the saved ones would have. What is no
state (functions, clocks, objects of other libraries) stays as it was made. The file holds numbers
and names, nothing that runs when it is read (no pickle).
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from consumers.errors import ArtifactError
from consumers.offline.replay.state_restoring import Restoring
from consumers.offline.replay.state_saving import Saving
from consumers.runtime.outputs import written_aside

_DOCUMENT: Final = "document"


def save(path: Path, roots: Mapping[str, object]) -> None:
    """Write the state of `roots`; the file is there whole or not at all.

    Raises
    ------
    TypeError
        There is something that cannot be walked: an error of ours.
    """
    walk = Saving()
    document = json.dumps({name: walk.node(value) for name, value in roots.items()})
    walk.check_apart()
    text = np.frombuffer(document.encode(), dtype=np.uint8)
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **{_DOCUMENT: text}, **walk.arrays)


def restore(path: Path, roots: Mapping[str, Any]) -> dict[str, Any]:
    """Fill `roots`, made with the settings of the saved ones; return them.

    Raises
    ------
    ArtifactError
        The file cannot be read, or is of other objects.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            document = json.loads(bytes(stored[_DOCUMENT]))
            walk = Restoring(stored)
            return {name: walk.value(document[name], value) for name, value in roots.items()}
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"{path} cannot be read as a stopped replay: {error}. Run without --resume."
        ) from error
