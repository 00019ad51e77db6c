"""Reasons of bad records, and how foreign text is shown in them."""

import pytest

from stream.events.clicks.bad_record import REASONS, quoted


def test_reasons_are_fit_for_a_metric_label() -> None:
    """Small words, each of them once."""
    assert all(reason.replace("_", "").islower() for reason in REASONS)
    assert len(set(REASONS)) == len(REASONS)


@pytest.mark.parametrize("text", ["plain", "été ☂", "\x1b[2J", "\ud800", 'a "b"', "x" * 10_000])
def test_foreign_text_cannot_disturb_a_message(text: str) -> None:
    """It is quoted, in plain characters, and short."""
    shown = quoted(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown[0] in "'\""
    assert len(shown) < 400
