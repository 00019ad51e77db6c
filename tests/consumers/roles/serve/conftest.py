"""A role at work, once for many questions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import missing
from tests.consumers.browser import chromium_path, open_browser
from tests.consumers.serve_world import LISTED, Api, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("serve"))


def filled(directory: Path) -> World:
    """Return a world with a view, a model, a known user and a default list."""
    world = World(directory, {"accept_clicks": True})
    world.publish_view()
    world.publish_model()
    world.click("u1", "i0", "i1")
    world.list("u1", *LISTED)
    world.list("", "i0", "i1", "i2", "i3", "i4", "i5", offset=None)
    return world


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Api]:
    with world.serving() as api:
        api.ready()
        yield api


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium_path()
    if executable is None:
        missing("chromium is not installed")
        raise AssertionError
    with open_browser(executable) as found:
        yield found
