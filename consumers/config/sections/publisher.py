"""Settings `[publisher]`: sequences to recommendation lists."""

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


class PublisherSection(Section):
    """Sequences to recommendation lists.

    Parameters
    ----------
    group
        Under this name the publisher saves its positions in the log.
    list_length, default_list_length
        Items per list, and in the default list for users without clicks.
    allow_repeats
        May lists contain items that the user has seen?
    users_per_batch
        Most users scored at once.
    linger_seconds
        How long a due user waits for others to be scored with.
    walk_users_per_second
        Rate at which the lists of active users are refreshed after a new model.
    active_user_seconds
        Users with a click within this time (before the newest click) are active.
    default_list_interval_seconds
        How often the default list is refreshed.
    artifacts_poll_seconds
        How often a newer model or view is looked for.
    fallback_graph_weight
        Before the first model: share of the item graph in the score; the rest is popularity.
    kept_users
        Users kept in memory; those whose click is oldest leave.
    kept_record_bytes
        Memory for users' newest sequences; others are read from the topic again, which is slow.
    attribution
        Count what became of the lists that were sent? It reads each click once more.
    threads
        Threads of the numerical libraries. The variable OMP_NUM_THREADS comes before it.
    """

    group: GroupName = "gsr-publisher"
    list_length: Annotated[int, Field(ge=1, le=1000)] = 20
    default_list_length: Annotated[int, Field(ge=1, le=1000)] = 100
    allow_repeats: bool = False
    users_per_batch: Count = 1024
    linger_seconds: NotNegative = 0.02
    walk_users_per_second: Positive = 500.0
    active_user_seconds: Positive = 2_592_000.0
    default_list_interval_seconds: Positive = 5.0
    artifacts_poll_seconds: Positive = 0.25
    fallback_graph_weight: Share = 0.5
    kept_users: Count = 1_000_000
    kept_record_bytes: Count = 268_435_456
    attribution: bool = True
    threads: Count = 1
