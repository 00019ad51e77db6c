"""A causal transformer over a user's recent clicks."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

GAP_BUCKETS = 24


def gap_buckets(seconds: Tensor) -> Tensor:
    """Return the bucket of each pause: 0 below one second, then one per doubling (int64)."""
    doublings = torch.log2(seconds.clamp(min=0.0) + 1.0).ceil().long()
    return doublings.clamp(max=GAP_BUCKETS - 1)


class Dropout(nn.Module):
    """Dropout that draws from the generator it is given, so that learning is reproducible.

    A byte decides about each value, so that one draw serves eight; the share is rounded to 1/256.

    Attributes
    ----------
    generator
        Draws; on the device of what is dropped.
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.dropped = round(share * 256)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share of `x` in training and scale up the rest."""
        if not self.training or self.dropped == 0:
            return x
        count = x.numel()
        drawn = torch.empty(-(-count // 8), dtype=torch.int64, device=x.device)
        drawn.random_(-(2**63), None, generator=self.generator)
        kept = drawn.view(torch.uint8)[:count].view(x.shape) >= self.dropped
        return x * (kept.to(x.dtype) * (256 / max(256 - self.dropped, 1)))


@dataclass(frozen=True, slots=True)
class Tokens:
    """Where T packed tokens stand in the padded rows of B users.

    Parameters
    ----------
    flat
        int64 [T], place in the flattened rows [B * n].
    column
        int64 [T], position in the row.
    last
        int64 [B], token of each user's newest click; any token for a user without clicks.
    length
        Columns n of the padded rows.
    """

    flat: Tensor
    column: Tensor
    last: Tensor
    length: int


class TransformerBlock(nn.Module):
    """One pre-norm transformer block over packed tokens.

    Linear layers run over real tokens only; attention runs over padded rows [B, n], with a learned
    bias per head and distance. A token sees itself and what stands before it.
    """

    def __init__(self, dimension: int, heads: int, length: int, dropout: Dropout) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dimension)
        self.query = nn.Linear(dimension, dimension)
        self.key_value = nn.Linear(dimension, 2 * dimension)
        self.join = nn.Linear(dimension, dimension)
        self.distance_bias = nn.Parameter(torch.zeros(length, heads))
        self.forward_norm = nn.LayerNorm(dimension)
        self.widen = nn.Linear(dimension, 2 * dimension)
        self.narrow = nn.Linear(2 * dimension, dimension)
        self.dropout = dropout

    def forward(self, x: Tensor, tokens: Tokens, last_only: bool) -> Tensor:
        """Return the tokens after attention and feed-forward.

        Parameters
        ----------
        x
            [T, d], packed tokens.
        tokens
            Where they stand.
        last_only
            Return only each user's newest token, [B, d]; the others are read but not computed.
        """
        seen = self.attention_norm(x)
        if last_only:
            x = x.index_select(0, tokens.last)
            attended = self.attend_last(seen, tokens)
        else:
            attended = self.attend(seen, tokens)
        x = x + self.dropout(self.join(attended))
        hidden = functional.gelu(self.widen(self.forward_norm(x)))
        done: Tensor = x + self.dropout(self.narrow(hidden))
        return done

    def attend(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Return each token's mix of the values before it and its own, [T, d]."""
        d = x.shape[1]
        place = torch.arange(tokens.length, device=x.device)
        distance = place[:, None] - place[None, :]
        bias = self.distance_bias[distance.clamp(min=0)].masked_fill(
            distance[:, :, None] < 0, -math.inf
        )
        # Rows are [B, n, heads, d / heads]; queries are divided, being fewer than scores.
        q = self._rows(self.query(x) / math.sqrt(d // self.heads), tokens)
        k, v = self._rows(self.key_value(x), tokens).chunk(2, dim=2)
        scores = torch.einsum("bqhc,bkhc->bhqk", q, k)
        shares = (scores + bias.permute(2, 0, 1)).softmax(dim=3)
        mixed = torch.einsum("bhqk,bkhc->bqhc", shares, v)
        return mixed.reshape(-1, d).index_select(0, tokens.flat)

    def attend_last(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Return the newest token's mix of the values before it and its own, [B, d]."""
        d = x.shape[1]
        newest = x.index_select(0, tokens.last)
        q = self.query(newest).view(len(newest), self.heads, d // self.heads)
        k, v = self._rows(self.key_value(x), tokens).chunk(2, dim=2)
        scores = torch.einsum("bhc,bkhc->bkh", q, k) / math.sqrt(d // self.heads)
        place = torch.arange(tokens.length, device=x.device)
        distance = tokens.column.index_select(0, tokens.last)[:, None] - place  # [B, n]
        bias = self.distance_bias.index_select(0, distance.clamp(min=0).flatten())
        scores = scores + bias.view(*distance.shape, self.heads)
        shares = scores.masked_fill(distance[:, :, None] < 0, -math.inf).softmax(dim=1)
        return torch.einsum("bkh,bkhc->bhc", shares, v).reshape(-1, d)

    def _rows(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Return packed values [T, w] as padded rows [B, n, parts * heads, d / heads]."""
        width = self.query.out_features // self.heads
        rows = x.new_zeros(len(tokens.last) * tokens.length, x.shape[1])
        rows = rows.index_copy(0, tokens.flat, x)
        return rows.view(len(tokens.last), tokens.length, -1, width)


class SequenceEncoder(nn.Module):
    """Reads item vectors with pauses and event types; returns a state after every click.

    Parameters
    ----------
    dimension, heads, blocks, length
        Width, attention heads, depth, longest history.
    events
        How many event codes there are.
    time_gaps
        Whether pauses are read.
    dropout
        Shared by the whole model.
    """

    def __init__(
        self,
        dimension: int,
        heads: int,
        blocks: int,
        length: int,
        events: int,
        time_gaps: bool,
        dropout: Dropout,
    ) -> None:
        super().__init__()
        self.gaps = nn.Parameter(torch.zeros(GAP_BUCKETS, dimension)) if time_gaps else None
        self.events = nn.Parameter(torch.zeros(events, dimension))
        self.input_norm = nn.LayerNorm(dimension)
        self.blocks = nn.ModuleList(
            TransformerBlock(dimension, heads, length, dropout) for _ in range(blocks)
        )
        self.output_norm = nn.LayerNorm(dimension)
        self.dropout = dropout

    def forward(self, vectors: Tensor, gaps: Tensor, events: Tensor, tokens: Tokens) -> Tensor:
        """Return the state after each user's newest click, [B, d].

        Parameters
        ----------
        vectors
            [T, d], item vectors of the packed clicks.
        gaps
            float32 [T], seconds since the user's click before; 0 for the first.
        events
            int64 [T], event codes.
        tokens
            Where the clicks stand.
        """
        x = self._embed(vectors, gaps, events)
        for depth, block in enumerate(self.blocks):
            x = block(x, tokens, last_only=depth == len(self.blocks) - 1)
        state: Tensor = self.output_norm(x)
        return state

    def states(self, vectors: Tensor, gaps: Tensor, events: Tensor, tokens: Tokens) -> Tensor:
        """Return the state after every click, [T, d]; parameters as in `forward`."""
        x = self._embed(vectors, gaps, events)
        for block in self.blocks:
            x = block(x, tokens, last_only=False)
        state: Tensor = self.output_norm(x)
        return state

    def _embed(self, vectors: Tensor, gaps: Tensor, events: Tensor) -> Tensor:
        """Return the tokens that the first block reads, [T, d]."""
        x = vectors + self.events.index_select(0, events)
        if self.gaps is not None:
            x = x + self.gaps.index_select(0, gap_buckets(gaps))
        read: Tensor = self.dropout(self.input_norm(x))
        return read


class SequenceEnsemble(nn.Module):
    """Sequence encoders side by side, each reading its own share of the vectors' numbers.

    Encoders that were learned apart err apart, so the sum of their scores errs less (`Deep
    Ensembles <https://arxiv.org/abs/1612.01474>`_). Being shares of one vector, they are scored and
    retrieved as one.

    Parameters
    ----------
    encoders
        At least one, all of one dimension.
    """

    def __init__(self, encoders: Iterable[SequenceEncoder]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    def forward(self, vectors: Tensor, gaps: Tensor, events: Tensor, tokens: Tokens) -> Tensor:
        """Return the states after each user's newest click side by side, [B, d]."""
        found = [encoder(own, gaps, events, tokens) for encoder, own in self._readers(vectors)]
        return torch.cat(found, dim=1)

    def states(self, vectors: Tensor, gaps: Tensor, events: Tensor, tokens: Tokens) -> Tensor:
        """Return the states after every click side by side, [T, d]."""
        read = self._readers(vectors)
        return torch.cat([one.states(own, gaps, events, tokens) for one, own in read], dim=1)

    def _readers(self, vectors: Tensor) -> Iterator[tuple[SequenceEncoder, Tensor]]:
        encoders = cast("Iterable[SequenceEncoder]", self.encoders)
        yield from zip(encoders, vectors.chunk(len(self.encoders), dim=1), strict=True)
