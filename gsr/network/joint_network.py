"""The joint model's network: all weights but the item rows, which it is handed."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from gsr.config import ModelConfig
from gsr.network.fusion import Fusion
from gsr.network.graph_encoder import ScaleMix, WeightedPropagation
from gsr.network.packing import VIEW_DECAY
from gsr.network.sequence_encoder import Dropout, SequenceEncoder, SequenceEnsemble, Tokens


@dataclass(frozen=True, slots=True)
class Hop:
    """One round of propagation: see `gsr.network.neighbour_sampler.Neighbourhood`.

    Parameters
    ----------
    edges
        int64 [2, E], source and target places.
    shares
        float32 [E, S].
    targets
        How many leading places receive.
    """

    edges: Tensor
    shares: Tensor
    targets: int


@dataclass(frozen=True, slots=True)
class ClickTensors:
    """The packed clicks of B users: T tokens, each user's in order.

    Parameters
    ----------
    places
        int64 [T], place of each clicked item among the gathered rows.
    gaps
        float32 [T], seconds since the click before.
    events
        int64 [T], event codes.
    row, column
        int64 [T], user and position.
    last
        int64 [B], token of each user's newest click; 0 for a user without clicks.
    present
        float32 [B, 1], 1 for users with clicks, else 0.
    pauses
        float32 [B], seconds from the newest click to now.
    votes
        float32 [T], weight of each click in the graph view; a user's add up to 1.
    length
        The longest history (n).
    """

    places: Tensor
    gaps: Tensor
    events: Tensor
    row: Tensor
    column: Tensor
    last: Tensor
    present: Tensor
    pauses: Tensor
    votes: Tensor
    length: int

    def to(self, device: torch.device) -> "ClickTensors":
        """Return the same clicks on a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {n: v.to(device) for n, v in values.items() if n != "length"}
        return replace(self, **moved)

    def tokens(self) -> Tokens:
        """Return where the clicks stand in padded rows."""
        return Tokens(self.row * self.length + self.column, self.column, self.last, self.length)


class JointNetwork(nn.Module):
    """All learned weights but the item rows.

    Parameters
    ----------
    config
        Shape and switches.
    generator
        Draws first weights and dropout.
    """

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        d = config.dimension
        self.config = config
        self.dropout = dropout = Dropout(config.dropout, generator)
        self.mixes = nn.ModuleList(
            ScaleMix(config.scales) for _ in range(config.hops if config.graph_encoder else 0)
        )
        self.hop_weights = nn.Parameter(torch.zeros(max(len(self.mixes), 1)))
        self.propagation = WeightedPropagation()
        self.sequence = (
            SequenceEnsemble(
                SequenceEncoder(
                    d // config.ensemble,
                    config.heads,
                    config.blocks,
                    config.history_length,
                    len(config.event_weights),
                    config.time_gaps,
                    dropout,
                )
                for _ in range(config.ensemble)
            )
            if config.sequence_encoder
            else None
        )
        self.fusion = Fusion(d, config.time_gaps, dropout, config.score_scale, config.ensemble)
        self._initialise(generator)

    def shares(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """Return each sequence encoder's share of vectors [m, d], [m, d / ensemble] each."""
        return vectors.chunk(self.config.ensemble, dim=1)

    def propagate(self, embeddings: Tensor, hops: list[Hop]) -> Tensor | None:
        r"""Return :math:`\\sum_h \\beta_h \\hat A^h E` for the innermost places; None if off.

        `hops` run from the outermost neighbourhood inwards; the innermost places lead everywhere.
        """
        if not self.mixes:
            return None
        powers = [embeddings]
        for hop in hops:
            sent = [self.send(x, hop, depth) for depth, x in enumerate(powers)]
            powers = [embeddings[: hop.targets], *sent]
        shares = self.hop_weights.softmax(dim=0)
        return torch.stack([s * x for s, x in zip(shares, powers[1:], strict=True)]).sum(dim=0)

    def send(self, vectors: Tensor, hop: Hop, depth: int) -> Tensor:
        """Return one round of propagation from `vectors`, which already are `depth` rounds old."""
        weights = self.mixes[depth](hop.shares)
        received: Tensor = self.propagation(vectors, hop.edges, weights, hop.targets)
        return received

    def encode(self, fused: Tensor, propagated: Tensor | None, clicks: ClickTensors) -> Tensor:
        """Return user vectors, [B, d]; zeros for users without clicks.

        Parameters
        ----------
        fused, propagated
            [R, d], item vectors and graph vectors of the gathered rows.
        clicks
            The users' clicks.
        """
        users = len(clicks.last)
        states, views = None, None
        if self.sequence is not None:
            states = fused.new_zeros(users, fused.shape[1])
            if len(clicks.places):
                read = fused.index_select(0, clicks.places)
                states = self.sequence(read, clicks.gaps, clicks.events, clicks.tokens())
                states = states * clicks.present
        if propagated is not None:
            sent = propagated.index_select(0, clicks.places) * clicks.votes[:, None]
            views = fused.new_zeros(users, fused.shape[1]).index_add(0, clicks.row, sent)
        if states is None and views is None:
            return fused.new_zeros(users, fused.shape[1])
        return self.fusion.users(states, views, clicks.pauses) * clicks.present

    def encode_clicks(
        self, fused: Tensor, propagated: Tensor | None, clicks: ClickTensors
    ) -> Tensor:
        """Return user vectors as of after every click, [T, d].

        Parameters
        ----------
        fused, propagated, clicks
            As in `encode`; votes of the clicks are not read.
        """
        read, tokens = fused.index_select(0, clicks.places), clicks.tokens()
        states, views = None, None
        if self.sequence is not None:
            states = self.sequence.states(read, clicks.gaps, clicks.events, tokens)
        if propagated is not None:
            views = fading_means(propagated.index_select(0, clicks.places), tokens)
        if states is None and views is None:
            return read.new_zeros(read.shape)
        return self.fusion.users(states, views, clicks.gaps.new_zeros(len(read)))

    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                spread = self.config.first_weights or module.in_features**-0.5
                nn.init.normal_(module.weight, std=spread, generator=generator)
                nn.init.zeros_(module.bias)


def fading_means(sent: Tensor, tokens: Tokens) -> Tensor:
    """Return, after every click, the mean of what was sent so far, [T, d]; older counts less."""
    users = len(tokens.last)
    rows = sent.new_zeros(users * tokens.length, sent.shape[1]).index_copy(0, tokens.flat, sent)
    place = torch.arange(tokens.length, device=sent.device)
    back = place[:, None] - place[None, :]
    votes = torch.where(back >= 0, VIEW_DECAY ** back.clamp(min=0), 0.0)
    votes = votes / votes.sum(dim=1, keepdim=True)
    means = votes @ rows.view(users, tokens.length, -1)
    return means.view(len(rows), -1).index_select(0, tokens.flat)
