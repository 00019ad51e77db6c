"""The encoders: an item table, a network, and the graph neighbourhoods that both read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.encoded import EncodedItems
from gsr.network.item_table import ItemTable, as_rows
from gsr.network.joint_network import ClickTensors, Hop, JointNetwork
from gsr.network.neighbour_sampler import Neighbourhood, NeighbourSampler
from gsr.network.packing import PackedClicks, distinct, pack

ITEM_CHUNK = 16_384
USER_CHUNK = 2_048


@dataclass(frozen=True, slots=True)
class Gathered:
    """Item rows of one step, with the neighbourhoods that they are encoded from.

    Parameters
    ----------
    rows
        int64 [U], distinct table rows; the asked ones lead.
    asked
        How many were asked for (R).
    hops
        From the outermost inwards.
    """

    rows: npt.NDArray[np.int64]
    asked: int
    hops: list[Hop]


class JointModel:
    """Item rows and a network, applied to a live graph and to users' histories.

    Parameters
    ----------
    config
        Its shape.
    seed
        Of the generator that draws first weights, new item rows and dropout.

    Attributes
    ----------
    table
        The item embeddings.
    network
        All other weights.
    generator
        The model's own randomness.
    device
        Where the weights are.
    """

    def __init__(self, config: ModelConfig, seed: int = 0) -> None:
        self.config = config
        self.device = torch.device("cpu")
        self.generator = torch.Generator().manual_seed(seed)
        self.table = ItemTable(config.dimension, self.generator)
        self.network = JointNetwork(config, self.generator)
        self.network.eval()
        self._sampler = NeighbourSampler(config.fanout)
        self._places = np.full(0, -1, np.int64)

    def to(self, device: torch.device) -> None:
        """Move all weights to a device, and draw there from now on.

        Learning a fixed set of clicks works on any device (`gsr.learning.batch_learner`), the
        rest of this class on the processor only.
        """
        if device == self.device:
            return
        self.device = device
        self.network.to(device)
        self.table.to(device)
        # The other device draws other numbers, so there is no state to go on from.
        self.generator = torch.Generator(device).manual_seed(self.generator.initial_seed())
        self.network.dropout.generator = self.generator

    def tensor(self, array: npt.NDArray[Any]) -> Tensor:
        """Return an array as a tensor on the model's device; on the processor, of its memory."""
        return torch.from_numpy(array).to(self.device)

    @property
    def items(self) -> int:
        """How many item rows the table has."""
        return len(self.table)

    def grow(self, graph: ItemGraph) -> int:
        """Add rows until there is one per item of `graph`; return how many were added.

        A new row starts at the mean of its graph neighbours' rows plus small noise.
        """
        new = np.asarray(self.table.grow(graph.items), dtype=np.int64)
        self._seed(new, graph)
        return len(new)

    def renew(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        """Start `rows` afresh, because they now stand for other items (next generation)."""
        rows = np.unique(rows[rows < self.items])
        self.table.renew(as_rows(rows))
        self._seed(rows, graph)

    def user_vectors(self, histories: Histories, items: EncodedItems) -> npt.NDArray[np.float32]:
        """Encode users, float32 [B, d]; a pure function of its arguments and the weights.

        `histories` may be raw buffers: what may not be read is skipped (`Histories.recent`), and so
        are items that `items` does not know. A user without readable clicks gets the zero vector.

        Parameters
        ----------
        histories
            The users.
        items
            See `encode_items`.
        """
        readable = histories.recent(self.config.history_length, self.config.event_weights)
        vectors = np.zeros((len(readable), self.config.dimension), np.float32)
        # Users of like length share a chunk, so that little of it is padding.
        order = np.argsort(readable.lengths, kind="stable")
        for start in range(0, len(order), USER_CHUNK):
            users = order[start : start + USER_CHUNK]
            vectors[users] = self._encode_users(readable.rows(users), items)
        return vectors

    @torch.no_grad()
    def encode_items(self, graph: ItemGraph) -> EncodedItems:
        """Propagate once in full; N is the table's rows."""
        embeddings = self.table.weight
        total = self.propagate_all(embeddings, graph)
        if total is None:
            return EncodedItems(self.network.fusion.items(embeddings, None).numpy().copy(), None)
        return EncodedItems(self.network.fusion.items(embeddings, total).numpy(), total.numpy())

    @torch.no_grad()
    def propagate_all(self, embeddings: Tensor, graph: ItemGraph) -> Tensor | None:
        """Return the graph vector of every item row, [N, d], in chunks; None if off.

        Parameters
        ----------
        embeddings
            [N, d], what stands for the table's rows.
        graph
            As it is.
        """
        if not self.network.mixes:
            return None
        shares = self.network.hop_weights.softmax(dim=0)
        power, total = embeddings, torch.zeros_like(embeddings)
        for depth in range(len(self.network.mixes)):
            power = self._send_all(power, graph, depth)
            total += shares[depth] * power
        return total

    def gather(self, asked: npt.NDArray[np.int64], graph: ItemGraph) -> Gathered:
        """Return the neighbourhoods of distinct rows `asked`."""
        now = graph_time(graph)
        rows, hops = asked, []
        for _ in self.network.mixes:
            block = self._sampler.sample(graph, rows, now, self.items)
            hops.append(self._hop(block, len(rows)))
            rows = block.rows
        return Gathered(rows, len(asked), hops[::-1])

    def fuse(self, gathered: Gathered, embeddings: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return fused and graph vectors [R, d] of the asked rows."""
        propagated = self.network.propagate(embeddings, gathered.hops)
        fused = self.network.fusion.items(embeddings[: gathered.asked], propagated)
        return fused, propagated

    def distinct(
        self, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the distinct rows among `rows` and each one's place among them.

        Negative rows, and rows that the table does not have yet, get place -1.
        """
        if len(self._places) < self.items:
            self._places = np.full(self.items * 5 // 4, -1, np.int64)
        return distinct(rows, self.items, self._places)

    @torch.no_grad()
    def _encode_users(self, readable: Histories, items: EncodedItems) -> npt.NDArray[np.float32]:
        packed = pack(readable, min(self.items, len(items.fused)))
        sent = items.propagated
        propagated = None if sent is None else torch.from_numpy(sent)
        fused = torch.from_numpy(items.fused)
        vectors = self.network.encode(fused, propagated, as_clicks(packed, packed.items))
        found: npt.NDArray[np.float32] = vectors.numpy()
        return found

    def _send_all(self, vectors: Tensor, graph: ItemGraph, depth: int) -> Tensor:
        """Return one round of propagation for every row."""
        now = graph_time(graph)
        received = torch.empty_like(vectors)
        for start in range(0, self.items, ITEM_CHUNK):
            stop = min(start + ITEM_CHUNK, self.items)
            block = self._sampler.sample(graph, np.arange(start, stop), now, self.items)
            senders = vectors.index_select(0, self.tensor(block.rows))
            hop = self._hop(block, stop - start)
            received[start:stop] = self.network.send(senders, hop, depth)
        return received

    def _hop(self, block: Neighbourhood, targets: int) -> Hop:
        """Return a sampled block as tensors."""
        edges = np.stack((block.sources, block.targets))
        return Hop(self.tensor(edges), self.tensor(block.shares), targets)

    def _seed(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        if len(rows) == 0:
            return
        block = self._sampler.sample(graph, rows, graph_time(graph), self.items)
        weights = torch.from_numpy(block.shares).sum(dim=1)
        targets = torch.from_numpy(block.targets)
        sent = self.table.weight[as_rows(block.rows[block.sources])] * weights[:, None]
        mean = torch.zeros(len(rows), self.config.dimension).index_add(0, targets, sent)
        mass = torch.zeros(len(rows)).index_add(0, targets, weights)
        self.table.seed(as_rows(rows), mean / mass.clamp(min=1e-12)[:, None])


def graph_time(graph: ItemGraph) -> float:
    """Return the time of the newest click that the graph knows; 0 where it knows none."""
    newest = float(graph.last_clicks.max(initial=-np.inf))
    return newest if np.isfinite(newest) else 0.0


def as_clicks(packed: PackedClicks, places: npt.NDArray[np.int64]) -> ClickTensors:
    """Return packed clicks as tensors; `places` [T] are those of their items."""
    return ClickTensors(
        torch.from_numpy(places),
        torch.from_numpy(packed.gaps),
        torch.from_numpy(packed.events),
        torch.from_numpy(packed.row),
        torch.from_numpy(packed.column),
        torch.from_numpy(packed.last),
        torch.from_numpy(packed.present),
        torch.from_numpy(packed.pauses),
        torch.from_numpy(packed.votes),
        packed.length,
    )
