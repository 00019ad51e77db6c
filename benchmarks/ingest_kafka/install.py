"""Install the peers, in this folder: `python -m benchmarks.ingest_kafka.install`."""

import shutil
import subprocess
import sys

from benchmarks.ingest_kafka.contenders import FOLDER, QUIX_PYTHON


def install_kafka_streams() -> None:
    """Compile the Kafka Streams program and fetch what it needs."""
    maven = shutil.which("mvn")
    if maven is None:
        sys.exit("Kafka Streams needs Maven and Java 17 (Debian: maven, openjdk-17-jdk-headless)")
    pom = FOLDER / "kafka_streams" / "pom.xml"
    subprocess.run([maven, "--quiet", "--batch-mode", "--file", str(pom), "package"], check=True)


def install_quix_streams() -> None:
    """Make a virtual environment with Quix Streams, which wants versions of its own."""
    folder = FOLDER / "quix_streams"
    if not QUIX_PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
    pip = [str(QUIX_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(folder / "requirements.txt")], check=True)


if __name__ == "__main__":
    install_kafka_streams()
    install_quix_streams()
    print("Kafka Streams and Quix Streams are ready.")
