"""A publisher with everything around it in memory."""

from pathlib import Path

import pytest

from consumers.roles.publisher.role import PublisherRole
from tests.consumers.publisher_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def role(world: World) -> PublisherRole:
    """Start a publisher that has a view and no model."""
    world.publish_view()
    role = world.role()
    world.run(role)
    return role
