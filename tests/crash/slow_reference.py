"""A disturbed pipeline's state against the plain-Python reference, click by click."""

from pathlib import Path

from consumers.config.settings import GsrConfig
from stream.events.clicks.codec import ClickCodec
from stream.log.interface import Log
from tests.crash.verdict import Verdict, whole_topic
from tests.stream.state.comparison import words_of_checkpoint, words_of_reference
from tests.stream.state.reference import Reference


def compare_with_reference(log: Log, config: GsrConfig, states: Path, found: Verdict) -> None:
    """Apply every click of the log to the reference and compare all that the states say.

    Takes about a millisecond per click: for some ten thousand.
    """
    rules = config.events.rules()
    weights = list(rules.weights.values())
    references: dict[int, Reference] = {}
    codecs: dict[int, ClickCodec] = {}
    for batch in whole_topic(log, config.log.clicks):
        reference = references.setdefault(batch.partition, Reference(config.state.shape(), weights))
        codec = codecs.setdefault(batch.partition, ClickCodec(rules))
        reference.apply(codec.decode(batch, reference.watermark).clicks)
    for partition, reference in references.items():
        state, expected = (
            words_of_checkpoint(states / f"partition-{partition}"),
            words_of_reference(reference),
        )
        found.problems += [
            f"partition {partition}: {name} differ from the slow reference"
            for name in expected
            if state[name] != expected[name]
        ]
    found.counts["slow_reference_clicks"] = sum(len(one.feed) for one in references.values())
