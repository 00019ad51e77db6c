"""Apache Kafka's jars: fetched once by Maven, then shared by every checkout on this machine."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from filelock import FileLock

POM: Final = Path(__file__).resolve().parents[1] / "deploy" / "kafka" / "pom.xml"
_PROGRAMS: Final = {"java": "a Java 17 runtime", "mvn": "Maven"}


class KafkaMissingError(Exception):
    """No broker can run on this machine; the message says what to install, in one line."""


def kafka_jars() -> Path:
    """Return the directory that holds the jars which `deploy/kafka/pom.xml` pins.

    Any number of processes may ask at once: one fetches, the others wait for it.

    Raises
    ------
    KafkaMissingError
        Java or Maven is not installed, or Maven could not fetch the jars.
    """
    if shutil.which("java") is None:
        raise KafkaMissingError(_missing("java"))
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    jars = _cache() / f"kafka-{digest}"
    if jars.is_dir():
        return jars
    if shutil.which("mvn") is None:
        raise KafkaMissingError(_missing("mvn"))
    jars.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(jars.with_suffix(".lock")):
        if not jars.is_dir():
            _fetch(jars)
    return jars


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gsr" / "kafka"


def _fetch(jars: Path) -> None:
    """Let Maven put the jars aside and move them into place whole."""
    aside = Path(tempfile.mkdtemp(prefix="fetching-", dir=jars.parent))
    try:
        run = subprocess.run(
            [
                "mvn",
                "--quiet",
                "--batch-mode",
                f"--file={POM}",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={aside}",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if run.returncode != 0:
            raise KafkaMissingError(f"Maven could not fetch Apache Kafka: {run.stdout[-500:]}")
        aside.rename(jars)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _missing(program: str) -> str:
    return f"{program} is not installed: a Kafka broker needs {_PROGRAMS[program]}"
