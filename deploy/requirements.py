"""Prints what a pyproject.toml depends on, a line each: to install it before the sources change."""

import sys
import tomllib
from pathlib import Path

for requirement in tomllib.loads(Path(sys.argv[1]).read_text())["project"]["dependencies"]:
    sys.stdout.write(f"{requirement}\n")
