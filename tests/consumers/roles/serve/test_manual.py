"""Each command of docs/api.md works as it stands there."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.consumers.serve_world import Api

PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
    if command.startswith("curl")
]


def test_every_route_has_a_command(api: Api) -> None:
    """Nobody has to guess how one is called."""
    for path in api.get("/openapi.json").document["paths"]:
        pattern = re.sub(r"\{\w+\}", r"[^/]+", path)
        assert any(re.search(rf'\$GSR{pattern}["?]', command) for command in COMMANDS), path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_answered(api: Api, program: Callable[[str], str], command: str) -> None:
    """By a document, and no problem."""
    url = f"http://{api.role.address}"
    words = shlex.split(command.replace("$GSR", url))
    ask = [program(words[0]), "--silent", "--show-error", "--max-time", "60", "--include"]
    run = subprocess.run([*ask, *words[1:]], capture_output=True, text=True, check=True)
    assert re.match(r"HTTP/1\.1 20[02] ", run.stdout), run.stdout
    assert "content-type: application/json" in run.stdout.lower()
