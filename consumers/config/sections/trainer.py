"""Settings `[trainer]`: when and how much the trainer learns."""

from typing import Annotated

from pydantic import Field

from consumers.config.sections.section import Count, Positive, Section


class TrainerSection(Section):
    """Test, train, judge, snapshot.

    Parameters
    ----------
    cycle_seconds
        How often a cycle begins, if there are enough clicks.
    cycle_min_clicks
        Fewer fresh clicks than this wait for the next cycle.
    cycle_max_clicks
        A cycle begins early when this many wait, and takes no more than these, nor many more than
        it can learn in `cycle_seconds`. Where more arrive between two cycles, all of them still
        count, and a random share is tested and learned.
    budget_seconds
        Once a cycle has taken this long, no earlier clicks are replayed in it; its fresh clicks are
        learned in any case.
    view_interval_seconds
        How often live counters are exported for the publisher.
    poll_interval_seconds
        How often new checkpoints are looked for.
    recent_clicks
        Scored clicks over which the recent quality gauges are averaged.
    psi_seconds
        Length of the two time spans whose item popularity is compared.
    threads
        Threads of the numerical libraries, in `gsr replay` and `gsr bootstrap` too. The variable
        OMP_NUM_THREADS comes before it.
    nice
        How far the trainer steps back where processors are short: its own niceness, 0 to 19. With
        0 it shares with the publisher what ingest leaves; with 10 there is next to no learning
        while lists wait. It never interrupts a process that is answering (Linux: SCHED_BATCH).
    """

    cycle_seconds: Positive = 20.0
    cycle_min_clicks: Count = 200
    cycle_max_clicks: Count = 10_000
    budget_seconds: Positive = 30.0
    view_interval_seconds: Positive = 5.0
    poll_interval_seconds: Positive = 0.5
    recent_clicks: Count = 5000
    psi_seconds: Positive = 300.0
    threads: Count = 1
    nice: Annotated[int, Field(ge=0, le=19)] = 0
