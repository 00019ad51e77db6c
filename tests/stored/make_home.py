"""Make a home to be stored: clicks of simulated shoppers through the three roles.

python -m tests.stored.make_home DIRECTORY
"""

import sys
from pathlib import Path

from tests.stored.home import STARTED, Home


def main(directory: Path) -> None:
    """Fill `directory`, which must not exist."""
    home = Home(directory, STARTED)
    for spec in home.config.log.topics():
        home.log.create_topic(spec)
    roles = (home.ingest(), home.trainer(), home.publisher())
    shoppers = home.shoppers(STARTED - 3600.0, seed=13)
    for _ in range(6):
        home.send(shoppers, 200)
        home.run(*roles, seconds=30.0)
    for role in reversed(roles):
        role.close()
    home.log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
