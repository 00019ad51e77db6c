"""Transactions that outlive a broker which does not answer.

kafka-python sends a transactional request again after a lost connection, but takes one that was not
answered in time for fatal: the producer is then good for nothing, and opening another one would
lock out whoever has taken over meanwhile. Kafka's own client sends it again in both cases, which is
safe: the requests say the same thing however often they come.
"""

import functools
from typing import Any

from kafka.errors import KafkaConnectionError
from kafka.producer import transaction_manager

from stream.log.kafka.failures import is_passing


@functools.cache
def repeat_unanswered_requests() -> bool:
    """Have transactional requests repeated after any passing trouble, in this process.

    Returns
    -------
    False where the library has changed so that this cannot be done; nothing else is touched then.
    """
    handler: Any = getattr(transaction_manager, "TxnRequestHandler", None)
    complete: Any = getattr(handler, "on_complete", None)
    if complete is None:
        return False

    @functools.wraps(complete)
    def on_complete(self: Any, correlation_id: int, answer: object) -> None:
        if isinstance(answer, Exception) and is_passing(answer):
            answer = KafkaConnectionError(f"{type(answer).__name__}: {answer}")
        complete(self, correlation_id, answer)

    handler.on_complete = on_complete
    return True
