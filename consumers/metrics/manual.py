"""Writes `docs/metrics.md` from the catalogue.

Run `python -m consumers.metrics.manual > docs/metrics.md` after changing a metric.
"""

import sys

from consumers.metrics.catalogue import CATALOGUE
from consumers.metrics.catalogue.spec import ROLES, MetricSpec

_HEADER = """\
# Metrics

Each role answers `/metrics`, `/livez` and `/readyz` on a port of its own (section `[http]` of the
[settings](configuration.md)), on loopback unless told otherwise. This page is written from the
catalogue in `consumers/metrics/catalogue/`.

Names follow the Prometheus rules: base units, `_total` on counters only, `_ratio` from 0 to 1,
`_timestamp_seconds` for *when* something happened (its age is `time() - x`). Series with known
labels exist from the start, at 0. Beside these, every role exports the usual `process_*` metrics
(memory, CPU, open files) and `python_info`.
"""

_TITLES = {
    None: "Every role",
    "ingest": "Ingest",
    "trainer": "Trainer",
    "publisher": "Publisher",
    "serve": "Serve",
}


def metrics_page() -> str:
    """Return the text of `docs/metrics.md`."""
    parts = [_HEADER]
    for role in (None, *ROLES):
        parts.append(f"\n## {_TITLES[role]}\n\n")
        parts.append("| metric | kind | what it is | what it tells |\n|---|---|---|---|\n")
        parts += [_row(spec) for spec in CATALOGUE if spec.role == role]
    return "".join(parts)


def _row(spec: MetricSpec) -> str:
    labels = "".join(
        f"<br>`{label}`: {', '.join(values) or 'a number'}" for label, values in spec.labels.items()
    )
    return f"| `{spec.name}`{labels} | {spec.kind} | {spec.help} | {spec.meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
