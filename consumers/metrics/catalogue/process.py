"""Metrics of every process."""

from typing import Final

from consumers.metrics.catalogue.spec import counter, gauge, info

LOG_EVENTS: Final = (
    *("reconnects", "retries", "rebalances", "lost_partitions", "fetch_errors", "stalls"),
)

PROCESS: Final = (
    info(
        "gsr_build_info",
        "Version of gsr and name of the role.",
        "Which version runs where.",
    ),
    gauge(
        "gsr_heartbeat_timestamp_seconds",
        "When the role's loop last came round.",
        "Older than a minute or two: the process hangs; /livez fails, SIGUSR1 shows where.",
    ),
    counter(
        "gsr_steps_total",
        "Rounds of the role's loop.",
        "Standing still: see the heartbeat.",
    ),
    counter(
        "gsr_retries_total",
        "Passing troubles (log away, file system busy) that were retried.",
        "Growing: the log or the disk has trouble that has not yet stopped the role.",
    ),
    counter(
        "gsr_log_events_total",
        "What the Kafka client went through, by kind; 0 with the embedded log.",
        "rebalances growing: members hang or restart. reconnects growing: a broker is away.",
        labels={"event": LOG_EVENTS},
    ),
    gauge(
        "gsr_log_member_heartbeat_timestamp_seconds",
        "When the group's coordinator last answered this member; 0: no member of a group.",
        "Older than kafka.session_timeout_seconds: its partitions are being given to others.",
    ),
    gauge(
        "gsr_log_partitions_past_end",
        "Partitions whose position is past the end of the log.",
        "Above 0 for long: the cluster lost records that were acknowledged.",
    ),
    gauge(
        "gsr_log_slow_decoder",
        "1 where Kafka batches are decoded record by record, 0 where in columns.",
        "1: the Kafka client is another version than the decoder was made for; see the log.",
    ),
)
