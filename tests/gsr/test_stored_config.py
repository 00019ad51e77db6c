"""Configurations in manifests: there and back, and refused where they differ."""

import json
from dataclasses import replace

import pytest

from gsr.config import ModelConfig
from gsr.errors import SnapshotError
from gsr.ranker.config import RankerConfig
from gsr.stored_config import config_as_json, config_from_json, refuse_other_config


@pytest.mark.parametrize("config", [RankerConfig(hidden=7, half_lives=(60.0,)), ModelConfig()])
def test_a_configuration_comes_back(config: object) -> None:
    """Through JSON, with its tuples."""
    values = json.loads(json.dumps(config_as_json(config)))
    assert config_from_json(type(config), values) == config


def test_what_is_no_configuration_is_refused() -> None:
    """Unknown fields, and values that are outside of their limits."""
    for values in ({"no_such_field": 2}, {"hidden": 0}):
        with pytest.raises(SnapshotError, match="unknown here"):
            config_from_json(RankerConfig, values)


def test_only_what_weights_depend_on_may_not_differ() -> None:
    """Every other difference is named with both values."""
    one = RankerConfig()
    other = replace(one, hidden=9, kept=50, new_item_boost=3.0)
    with pytest.raises(SnapshotError, match="kept is 100, not 50; hidden is 48, not 9"):
        refuse_other_config(one, other, {"new_item_boost"})
    refuse_other_config(one, replace(one, new_item_boost=3.0), {"new_item_boost"})
