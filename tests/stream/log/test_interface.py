"""Settings that no topic can have are refused where they are written down."""

import pytest

from stream.log.interface import TopicSpec


@pytest.mark.parametrize(
    "name", ["clicks", "clicks.dlq", "recommendations-default", "0", "a" * 200]
)
def test_a_good_name_is_taken(name: str) -> None:
    """Lower case, digits, dots and hyphens."""
    assert TopicSpec(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "Clicks", "a_b", ".hidden", "-x", "a/b", "../up", "a b", "ü", "a" * 201, "a\n"]
)
def test_a_bad_name_is_refused(name: str) -> None:
    """Nothing that a file system or a broker would take for something else."""
    with pytest.raises(ValueError, match="cannot name a topic"):
        TopicSpec(name=name)


@pytest.mark.parametrize("partitions", [0, -1])
def test_a_topic_has_at_least_one_partition(partitions: int) -> None:
    """Else its records would have nowhere to go."""
    with pytest.raises(ValueError, match="partition"):
        TopicSpec(name="clicks", partitions=partitions)
