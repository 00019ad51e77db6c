"""Metrics of the HTTP API."""

from typing import Final

from consumers.metrics.catalogue.spec import counter, gauge, histogram

ROUTES: Final = (
    *("recommendations", "user", "neighbours", "similar", "rank", "clicks"),
    *("users", "items", "models", "status", "events", "quality", "openapi", "page", "other"),
)
"""Names of the routes; what is none of them is `other`."""

CODES: Final = (
    *("200", "202", "304", "400", "401", "403", "404", "405"),
    *("413", "415", "421", "422", "429", "500", "503"),
)

SOURCES: Final = ("topic", "computed")
TOPICS: Final = ("lists", "sequences")

SERVE: Final = (
    counter(
        "gsr_serve_requests_total",
        "Requests answered, by route and status code.",
        "429 growing: a client asks too often. 503: see gsr_serve_waiting_requests; 500: a defect.",
        labels={"route": ROUTES, "code": CODES},
    ),
    histogram(
        "gsr_serve_request_seconds",
        "Time from a request to its answer.",
        "p99 below 0.02 in calm operation; higher: too many lists are computed for the cores.",
        buckets=(
            *(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02),
            *(0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
        ),
    ),
    counter(
        "gsr_serve_lists_total",
        "Lists answered, by where they are from.",
        "computed growing: callers ask for more, or for other items, than the topic's lists hold.",
        labels={"source": SOURCES},
    ),
    counter(
        "gsr_serve_clicks_total",
        "Posted clicks that were appended to the topic.",
        "0 unless serve.accept_clicks is set.",
    ),
    histogram(
        "gsr_serve_score_seconds",
        "Time to compute the lists that were asked for together.",
        "Compute share of the latency.",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    ),
    gauge(
        "gsr_serve_waiting_requests",
        "Requests that wait for a computed answer.",
        "At serve.waiting_requests: others get 503. Add a process, or lower the load.",
    ),
    counter(
        "gsr_serve_records_total",
        "Records of lists and sequences taken over.",
        "Must follow what publisher and ingest send.",
        labels={"topic": TOPICS},
    ),
    counter(
        "gsr_serve_damaged_records_total",
        "Records that nobody can read, passed over.",
        "Any: what is answered of some users is out of date; see the message.",
    ),
    counter(
        "gsr_serve_foreign_records_total",
        "Records that are none of ours, or of a newer version, passed over.",
        "Any: something else writes to our topics, or a newer gsr does: upgrade this role.",
    ),
    gauge(
        "gsr_serve_lag_records",
        "Records of lists and sequences that wait.",
        "Growing: answers are older than what the topics hold.",
        labels={"topic": TOPICS},
    ),
    gauge(
        "gsr_serve_progress_timestamp_seconds",
        "When the partition that stood still longest last advanced, or had nothing to read.",
        "Minutes ago: the role cannot read its topics.",
    ),
    gauge(
        "gsr_serve_stored_users",
        "Users with a stored list, and with a stored sequence, roughly.",
        "Follows the users on the topics.",
        labels={"topic": TOPICS},
    ),
    gauge(
        "gsr_serve_store_bytes",
        "Size of the store of users' newest records.",
        "Grows with users; the disk must hold it.",
    ),
    gauge(
        "gsr_serve_model_version",
        "Model version that computes answers.",
        "Must follow the trainer's snapshot version within seconds; 0: counters only.",
    ),
    gauge(
        "gsr_serve_model_timestamp_seconds",
        "When that model was made.",
        "Old: the trainer stopped or rejects everything.",
    ),
    gauge(
        "gsr_serve_view_timestamp_seconds",
        "When the counters were made that compute answers.",
        "Older than a minute: the trainer stopped.",
    ),
    gauge(
        "gsr_serve_blocked_items",
        "Items that may not be listed.",
        "Take-downs and expired items.",
    ),
    gauge(
        "gsr_serve_titles",
        "Items that have a title.",
        "What gsr items load said; 0 after it: see the log, the file of titles cannot be read.",
    ),
    gauge(
        "gsr_serve_counted_clients",
        "Clients whose requests are counted against their limit.",
        "At serve.kept_clients: more clients than are remembered.",
    ),
)
