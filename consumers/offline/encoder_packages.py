"""The packages of the joint model of encoders: an extra of ours, which nothing live needs."""

from importlib.util import find_spec
from typing import Final

from consumers.errors import MissingExtraError

EXTRA: Final = "evaluate"
PACKAGES: Final = ("torch", "torch_geometric")


def check_encoder_packages(what: str) -> None:
    """Refuse `what` before anything is read where the packages that it needs are not there.

    Raises
    ------
    MissingExtraError
        Says what to install.
    """
    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError(what, package.replace("_", "-"), EXTRA)
