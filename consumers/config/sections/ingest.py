"""Settings `[ingest]`: clicks to state."""

from typing import Annotated

from pydantic import Field

from consumers.config.sections.section import (
    Count,
    GroupName,
    NotNegative,
    Positive,
    Section,
    Share,
)


class IngestSection(Section):
    """Clicks to state.

    Parameters
    ----------
    group
        Under this name ingest saves its positions in the log.
    poll_records
        Most records of one micro-batch.
    poll_timeout_seconds
        How long one poll waits for records.
    flush_interval_seconds
        Time between two flushes of changed state to disk; up to half a minute while clicks wait or
        flushes take long, since one costs the same whatever number of clicks it holds.
    flush_dirty_bytes
        Changed state of one partition that makes a flush due earlier; while clicks wait, twice
        that.
    cached_users, cached_user_bytes
        Users kept in memory per partition, and the memory that they may take, roughly; the others
        are read from disk when they return.
    checkpoint_interval_seconds
        How often a partition's state is handed to the trainer, if it changed.
    sequence_linger_seconds
        How long a touched user waits for further clicks before their sequence is sent.
    sequence_bytes_per_second
        Most bytes of sequences sent per second; above it they wait and coalesce.
    max_bad_share
        Stop when a larger share than this of the recent records is bad; 1 never stops.
    bad_window_records, bad_minimum_records
        How many records are recent, and how many must have come before the share is judged.
    restore_lead_records
        Local state that the newest checkpoint leads by more than this is not caught up from the
        log: the checkpoint takes its place.
    lock_wait_seconds
        How long to wait for another process to let go of a partition's state directory.
    accept_gap
        Go on where clicks left the log before they were applied, instead of stopping; they are
        counted. Switch it off again afterwards.
    skip_damaged
        Set clicks that nobody can read aside, instead of stopping; they are counted, and a dead
        letter names them. Switch it off again afterwards.
    accept_topic
        The id of a clicks topic that may take the place of the one that the state was made from.
        Only where it holds the same records at the same offsets, as one restored from a backup
        does; "": none. Take it out again afterwards.
    clean_interval_seconds
        How often the embedded log deletes and compacts what it no longer needs.
    ready_lag_records
        Ready once fewer records than this wait.
    """

    group: GroupName = "gsr-ingest"
    poll_records: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    poll_timeout_seconds: Positive = 0.02
    flush_interval_seconds: Positive = 2.0
    flush_dirty_bytes: Count = 67_108_864
    cached_users: Count = 1_000_000
    cached_user_bytes: Count = 268_435_456
    checkpoint_interval_seconds: Positive = 5.0
    sequence_linger_seconds: NotNegative = 0.03
    sequence_bytes_per_second: Positive = 16_777_216.0
    max_bad_share: Share = 0.2
    bad_window_records: Count = 10_000
    bad_minimum_records: Count = 1000
    restore_lead_records: Count = 1_000_000
    lock_wait_seconds: Positive = 60.0
    accept_gap: bool = False
    skip_damaged: bool = False
    accept_topic: str = ""
    clean_interval_seconds: Positive = 1.0
    ready_lag_records: Count = 50_000
