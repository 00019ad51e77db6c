"""A list has one id, whoever makes it and however often."""

import pytest

from stream.events.records.list_id import NO_LIST, list_id, list_number, parse_list_id


def test_the_same_list_has_the_same_number() -> None:
    """It is fixed for good: platforms keep ids, and a restart sends a list again."""
    assert list_number("u", 7, 8, 9) == list_number("u", 7, 8, 9)
    assert list_id(list_number("u", 7, 8, 9)) == "6804906b7f495ee4"
    assert list_id(list_number("", 0, None, 0)) == "be0344b6a295589b"


@pytest.mark.parametrize(
    "other", [("v", 7, 8, 9), ("u", 6, 8, 9), ("u", 7, -3, 9), ("u", 7, None, 9), ("u", 7, 8, 10)]
)
def test_another_list_has_another(other: tuple[str, int, int | None, int]) -> None:
    """Another user, other items, another click or another model make another list."""
    assert list_number(*other) != list_number("u", 7, 8, 9)


@pytest.mark.parametrize("text", [None, "", "5c2e", "G" * 16, "5C2E0B9F41D7A836", "0" * 17, "é"])
def test_what_is_none_of_our_ids_is_no_list(text: str | None) -> None:
    """Clicks may name what they like."""
    assert parse_list_id(text) == NO_LIST


def test_numbers_survive_the_text() -> None:
    """The whole range of 64 bits."""
    for number in (1, 2**63, 2**64 - 1):
        assert parse_list_id(list_id(number)) == number
