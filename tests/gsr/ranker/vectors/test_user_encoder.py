"""The user encoder: against its formulas in torch, and what it does not look at."""

import numpy as np
import torch
from torch import Tensor

from gsr.ranker.vectors.recent_clicks import RecentClicks
from gsr.ranker.vectors.user_encoder import UserEncoder, positions_of

D = 4


ITEMS = 9
ROOM = 12


def some_users(rng: np.random.Generator) -> tuple[RecentClicks, np.ndarray]:
    """Return clicks, some of them on an item that has no vector, and vectors."""
    items = rng.integers(0, ITEMS, (5, 6)).astype(np.int32)
    items[3, 2], items[4, 0] = ITEMS, ROOM
    items[0, 2:] = items[1, 1:] = items[2] = -1
    ages = np.sort(rng.exponential(3000.0, items.shape), axis=1).astype(np.float32)
    vectors = rng.standard_normal((ROOM, D)).astype(np.float32)
    return RecentClicks(items, ages * (items >= 0)), vectors


def obvious(recent: RecentClicks, known: Tensor, weights: list[Tensor]) -> Tensor:
    """Return the users' vectors, user by user, from the formulas."""
    none = torch.zeros(ROOM + 1 - ITEMS, D)
    clicked = torch.cat((known, none))[torch.from_numpy(np.maximum(recent.items, 0))]
    position, position_bias, attention, first, first_bias, second, second_bias = weights
    vectors = []
    for user, positions in enumerate(torch.from_numpy(positions_of(recent))):
        count = int((recent.items[user] >= 0).sum())
        hidden = torch.relu(positions[:count] @ position + position_bias)
        shares = torch.softmax(hidden @ attention, dim=0)
        means = shares.T @ clicked[user, :count]
        newest = clicked[user, 0] if count else torch.zeros(D)
        joined = torch.cat((means[0], means[1], newest))
        deep = torch.relu(joined @ first + first_bias)
        vectors.append(means[0] + deep @ second + second_bias)
    return torch.stack(vectors)


def test_vectors_and_gradients_are_those_of_the_formulas() -> None:
    """By every weight, and by the clicked items' vectors, against automatic differentiation."""
    rng = np.random.default_rng(0)
    recent, vectors = some_users(rng)
    encoder = UserEncoder(D, rng)
    for bias in (encoder.weights[1], encoder.weights[4]):  # zero is where a rectifier is bent
        bias[:] = rng.uniform(0.1, 0.5, bias.shape)
    wanted, newest = rng.standard_normal((2, 5, D)).astype(np.float32)
    encoded = encoder.encode(recent, vectors, ITEMS)
    places = np.where(recent.items < ITEMS, recent.items, -1).astype(np.int32)
    sums = np.zeros((ITEMS, D), dtype=np.float32)
    by_weights = encoder.gradients(encoded, wanted, newest, vectors, places, sums)
    weights = [torch.from_numpy(array.copy()).requires_grad_() for array in encoder.weights]
    known = torch.from_numpy(vectors[:ITEMS].copy()).requires_grad_()
    found = obvious(recent, known, weights)
    loss = (found * torch.from_numpy(wanted)).sum()
    for user in np.flatnonzero(places[:, 0] >= 0):
        loss = loss + (known[int(places[user, 0])] * torch.from_numpy(newest[user])).sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert np.allclose(encoded.vectors, found.detach().numpy(), atol=1e-5)
    for newest_vector, item in zip(encoded.newest, places[:, 0], strict=True):
        assert np.array_equal(newest_vector, vectors[item] if item >= 0 else np.zeros(D))
    for gradient, weight in zip((*by_weights, sums), (*weights, known), strict=True):
        assert weight.grad is not None
        assert np.abs(gradient).max() > 1e-3
        assert np.allclose(gradient, weight.grad.numpy(), atol=1e-4)


def test_missing_clicks_have_no_share() -> None:
    """A user without clicks has a vector too, the same for all of them."""
    rng = np.random.default_rng(1)
    recent, vectors = some_users(rng)
    encoder = UserEncoder(D, rng)
    encoded = encoder.encode(recent, vectors, ITEMS)
    assert (encoded.shares[recent.items < 0] == 0).all()
    assert np.allclose(encoded.shares.sum(axis=1)[[0, 1, 3, 4]], 1.0, atol=1e-6)
    nothing = RecentClicks(np.full((1, 3), -1, np.int32), np.zeros((1, 3), np.float32))
    alone = encoder.encode(nothing, vectors, ITEMS)
    assert np.allclose(alone.vectors[0], encoded.vectors[2], atol=1e-6)


def test_positions_say_how_far_back() -> None:
    """In clicks, in time, and in time before the next click; all finite."""
    recent = RecentClicks(
        np.array([[1, 2, -1]], np.int32), np.array([[60.0, 360.0, 0.0]], np.float32)
    )
    positions = positions_of(recent)[0]
    assert np.allclose(positions[:, 0], np.log([1, 2, 3]))
    assert positions[1, 1] > positions[0, 1] > 0
    assert np.allclose(positions[0, 1], positions[0, 2])
    assert positions[1, 1] > positions[1, 2] > 0
    assert np.isfinite(positions).all()
