"""The newest clicks as a model would have met them on the stream, recorded to learn trust from."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import fields, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import loop_options
from consumers.offline.replay.retraining.joint_streams import joint_stream, new_stream
from consumers.offline.replay.retraining.model_files import onto_rows
from gsr.baselines.together import BaselinesTogether
from gsr.counters.click_batch import ClickBatch
from gsr.learning.candidate_scores import candidate_scores
from gsr.learning.recorded_trust import RecordedChoices
from gsr.learning.samples import Samples, join
from gsr.loop.joint_stream import JointStream
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.network.encoded import EncodedItems
from gsr.network.model import JointModel

MOST_CLICKS: Final = 8192
"""So many of the newest are enough for about a thousand weights; each takes 20 kB or so."""


def recorded_choices(
    batches: Iterable[ClickBatch],
    model: JointModel,
    item_ids: list[str],
    *,
    config: GsrConfig,
    seed: int,
    mask_seen: bool,
    after: float,
) -> RecordedChoices:
    """Count a stream's clicks, and record what those after a moment chose from.

    Only clicks that a replay scores are recorded: of users with an earlier click, on items that
    somebody clicked before.

    Parameters
    ----------
    batches
        The stream.
    model, item_ids
        Takes over at the moment; it trusts its vectors alone.
    config
        Settings of the stream.
    seed
        Draws what clicks are compared with.
    mask_seen
        See `gsr.loop.options.LoopOptions`.
    after
        The moment, in seconds since the epoch.
    """
    loop = _counting_loop(config, seed, mask_seen=mask_seen)
    stream = joint_stream(loop)
    kept: deque[RecordedChoices] = deque()
    serving = False
    for batch in batches:
        for part in batch.split(int(np.searchsorted(batch.times, after, side="right"))):
            newest = bool(part.times[0] > after)
            if newest and not serving:
                stream.serve(onto_rows(model, item_ids, loop.mirror))
                serving = True
            if newest:
                stream.let_items_in()
            items = stream.encoded_items()
            loop.advance(part, rank=False)
            loop.test()
            samples = stream.take_samples()
            if newest and samples:
                kept.append(_chosen_from(stream, loop.mirror, join(samples), items))
            while sum(map(len, kept)) - len(kept[0] if kept else ()) >= MOST_CLICKS:
                kept.popleft()
    if not kept:
        return _nothing()
    return RecordedChoices(
        *(np.concatenate([getattr(one, f.name) for one in kept]) for f in fields(RecordedChoices))
    )


def _counting_loop(config: GsrConfig, seed: int, *, mask_seen: bool) -> LearningLoop:
    """Return a loop with the counters of a replay's."""
    options = replace(loop_options(config), mask_seen=mask_seen)
    nothing = BaselinesTogether({}, time.monotonic)
    stream_of = partial(new_stream, config=config, seed=seed, mask_seen=mask_seen)
    return LearningLoop(options, baselines=nothing, stream_of=stream_of)


def _chosen_from(
    stream: JointStream, mirror: Mirror, samples: Samples, items: EncodedItems
) -> RecordedChoices:
    known = samples.candidates[:, 0] < len(items.fused)
    samples = samples.rows(np.flatnonzero(known & (samples.histories.lengths > 0)))
    vectors = stream.model.user_queries(
        samples.histories, mirror.graph(), items=items, context=samples.context
    ).vectors
    # What came in this very cycle has no vector yet.
    places = np.where(samples.candidates < len(items.fused), samples.candidates, -1)
    neural = candidate_scores(
        torch.from_numpy(items.fused), torch.from_numpy(vectors), torch.from_numpy(places)
    )
    return RecordedChoices(
        candidates=samples.candidates,
        log_inclusion=samples.log_inclusion,
        neural=neural.numpy(),
        features=samples.features,
        context=samples.context,
    )


def _nothing() -> RecordedChoices:
    floats: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)
    return RecordedChoices(np.zeros((0, 0), np.int64), floats, floats, floats, floats)
