"""The notebook about the library runs from the first cell to the last."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "library.ipynb"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the notebook with what its cells print, run in a process of its own."""
    read = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(read, timeout=280, resources={"metadata": {"path": str(folder)}}).execute()
    return read


def results(notebook: Any) -> list[str]:
    """Return what each cell that has a result shows as text."""
    return [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


def test_it_is_kept_without_outputs() -> None:
    """Whoever opens it sees what they ran themselves."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_every_cell_runs(notebook: Any) -> None:
    """And those that end with a frame show it."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    shown = results(notebook)
    assert len(shown) == 7
    assert "joint" in shown[1]
    assert "tea 7" in shown[5]
