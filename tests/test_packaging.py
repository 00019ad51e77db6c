"""What a wheel of gsr holds and says of itself."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("consumers", "gsr", "stream")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build a wheel from a copy, so that nothing is left in the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "benchmarks", "docs", "examples"):
        if (ROOT / name).is_dir():
            (copy / name).mkdir()
            (copy / name / "intruder.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    subprocess.run(
        [sys.executable, "-c", "from setuptools.build_meta import build_wheel as b; b('dist')"],
        cwd=copy,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    (path,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_exactly_our_packages(wheel: zipfile.ZipFile) -> None:
    """`stream` and `consumers` are common names: nothing else may slip in."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_every_source_file(wheel: zipfile.ZipFile) -> None:
    """A package that pyproject.toml forgets to list would be missed here."""
    wanted = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.suffix in {".py", ".json", ".toml", ".css", ".html", ".js", ".svg"}
        or path.name == "py.typed"
    }
    assert wanted - set(wheel.namelist()) == set()
    assert {f"{name}/py.typed" for name in PACKAGES} <= wanted
    assert any(name.endswith(".schema.json") for name in wanted)
    assert "consumers/config/default.toml" in wanted


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    """`gsr` is what one types."""
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "gsr = consumers.cli:main" in wheel.read(name).decode()


def test_the_metadata_is_complete(metadata: Message) -> None:
    """Name, licence, Python versions and a description for those who look us up."""
    assert metadata["Name"] == "gsr"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] in {">=3.11,<3.15", "<3.15,>=3.11"}
    assert metadata["Summary"]
    assert len(str(metadata.get_payload())) > 500
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])


def test_every_requirement_has_a_lower_bound_and_a_pin(metadata: Message) -> None:
    """constraints.txt pins what pyproject.toml allows."""
    pins = {
        re.split(r"[=\[]", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    requirements = [text for text in metadata.get_all("Requires-Dist") or () if "extra" not in text]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for requirement in [*requirements, *groups["test"], *groups["lint"]]:
        assert ">=" in requirement, requirement
        name = re.split(r"[<>=!~; \[]", requirement)[0].lower().replace("_", "-")
        assert name in pins, f"{name} is not in constraints.txt"
