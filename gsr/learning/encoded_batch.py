"""Batches of recorded samples, encoded so that gradients can flow back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsr.counters.items.item_graph import ItemGraph
from gsr.learning.objective import Choices, Negatives
from gsr.learning.samples import Samples, join
from gsr.network.joint_network import EncodedUsers
from gsr.network.model import JointModel, as_clicks
from gsr.network.neighbour_sampler import OwnEdges
from gsr.network.packing import PackedClicks, pack
from gsr.votes.negatives import SharedNegatives


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples of one learning step.

    Parameters
    ----------
    fresh
        Samples with recorded candidates.
    replayed
        Samples without (see `Samples.without_candidates`); may be none.
    negatives
        What the encoders' own terms compare every click with; none switches these off.
    """

    fresh: Samples
    replayed: Samples | None
    negatives: SharedNegatives


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """A batch, encoded; fresh samples first.

    Parameters
    ----------
    users
        Of the batch.
    items
        [R, d], fused vectors of the rows that were asked for.
    choices
        The fresh samples' candidates among them.
    clicked
        int64 [B], place of each sample's clicked item.
    following
        int64 [T], place of what was clicked after each click of the histories.
    negatives
        Places of the batch's negatives; None where there are none.
    present
        float32 [B], 1 for users with clicks, whose views say something.
    rows, leaf
        int64 [U] table rows, and the copy of them [U, d] that gradients flow into.
    """

    users: EncodedUsers
    items: Tensor
    choices: Choices
    clicked: Tensor
    following: Tensor
    negatives: Negatives | None
    present: Tensor
    rows: Tensor
    leaf: Tensor


def encode_batch(
    model: JointModel, batch: Batch, graph: ItemGraph, *, every_click: bool
) -> EncodedBatch:
    """Encode a batch with the weights as they are.

    Parameters
    ----------
    model
        Encodes.
    batch
        Of B samples.
    graph
        The live graph; edges that the samples' own clicks added are left out of it.
    every_click
        Whether every click of the histories is to be predicted, where there are negatives to
        compare it with, and not only the samples' own.
    """
    fresh = batch.fresh
    samples = fresh.without_candidates()
    if batch.replayed is not None:
        samples = join([samples, batch.replayed])
    packed = pack(samples.histories, model.items)
    drawn = batch.negatives.rows[batch.negatives.rows >= 0]
    every_click = every_click and len(drawn) > 0
    parts = (packed.items, samples.candidates[:, 0], drawn, fresh.candidates.ravel())
    rows, places = model.distinct(np.concatenate(parts))
    read, clicked, others, listed = np.split(places, np.cumsum([len(p) for p in parts[:-1]]))
    gathered = model.gather(rows, graph, own_edges(samples, packed if every_click else None))
    leaf = model.table.gather(gathered.rows)
    fused, propagated = model.fuse(gathered, leaf)
    clicks = as_clicks(packed, read, samples.context)
    negatives = None
    if len(drawn):
        chances = batch.negatives.log_inclusion[: len(drawn)]
        negatives = Negatives(torch.from_numpy(others), torch.from_numpy(chances))
    present = packed.present[:, 0]
    following = np.append(read[1:], -1)
    following[packed.last[present > 0]] = clicked[present > 0]
    return EncodedBatch(
        model.network.encode(fused, propagated, clicks, every_token=every_click),
        fused,
        Choices(
            torch.from_numpy(listed.reshape(fresh.candidates.shape)),
            torch.from_numpy(fresh.log_inclusion),
            torch.from_numpy(fresh.features),
        ),
        torch.from_numpy(clicked),
        torch.from_numpy(following[: len(read)]),
        negatives,
        torch.from_numpy(present),
        gathered.rows,
        leaf,
    )


def own_edges(samples: Samples, packed: PackedClicks | None = None) -> OwnEdges:
    """Return the edges that the samples' own clicks added, ordered by source.

    With `packed` also those that the clicks of their histories added to each other, which matter
    where every click of a history is to be predicted: with the amounts that the samples' last
    clicks show.
    """
    real = samples.edge_sources >= 0
    sample, _ = np.nonzero(real)
    sources = [samples.edge_sources[real]]
    targets = [samples.candidates[sample, 0]]
    amounts = [samples.edge_amounts[real]]
    times = [samples.histories.now[sample]]
    if packed is not None:
        clicked = samples.histories.times[packed.row, packed.place]
        for back, amount in enumerate(samples.edge_amounts.max(axis=0, initial=0.0), start=1):
            later = np.flatnonzero(packed.column >= back)
            sources.append(packed.items[later - back])
            targets.append(packed.items[later])
            amounts.append(np.full(len(later), amount, np.float32))
            times.append(clicked[later])
    source = np.concatenate(sources)
    order = np.argsort(source, kind="stable")
    return OwnEdges(
        source[order],
        np.concatenate(targets)[order],
        np.concatenate(amounts)[order].astype(np.float64),
        np.concatenate(times)[order],
    )
