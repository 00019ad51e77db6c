"""Every metric that gsr exports, a file for each subject: name, labels, and what it tells.

Only descriptions may enter; `docs/metrics.md` is written from them.
"""

from typing import Final

from consumers.metrics.catalogue.ingest import INGEST
from consumers.metrics.catalogue.process import PROCESS
from consumers.metrics.catalogue.publisher import PUBLISHER
from consumers.metrics.catalogue.serve import SERVE
from consumers.metrics.catalogue.served import SERVED
from consumers.metrics.catalogue.spec import MetricSpec
from consumers.metrics.catalogue.trainer import TRAINER

CATALOGUE: Final[tuple[MetricSpec, ...]] = (
    *PROCESS,
    *INGEST,
    *TRAINER,
    *PUBLISHER,
    *SERVED,
    *SERVE,
)
"""All of them, in the manual's order."""
