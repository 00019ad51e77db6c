"""A short version of benchmarks/chaos.py: other seeds with GSR_CHAOS_SEED."""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import missing
from tests.crash.chaos import ChaosOptions, run_chaos
from tests.kafka_broker import kafka_cluster
from tests.kafka_jars import KafkaMissingError

SEED: Final = int(os.environ.get("GSR_CHAOS_SEED", "4"))


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_and_pauses_of_everything(tmp_path: Path) -> None:
    """State is byte-equal to one undisturbed ingest; lists, sequences, dead letters are right."""
    options = ChaosOptions(
        seed=SEED,
        clicks=12_000,
        clicks_per_second=400.0,
        users=300,
        items=300,
        disruptions=6,
        longest_calm_seconds=1.5,
        settle_seconds=240.0,
        slow_reference=True,
    )
    try:
        with kafka_cluster(3) as cluster:
            ledger = run_chaos(options, cluster, tmp_path)
    except KafkaMissingError as error:
        missing(str(error))
        return
    assert ledger.problems == [], ledger
    assert ledger.counts["clicks_sent"] == options.clicks
    assert ledger.counts["users"] > 100
    assert ledger.counts["slow_reference_clicks"] > 10_000
    assert sum(ledger.disruptions.values()) == options.disruptions
