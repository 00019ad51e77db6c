"""MRGSRec without its leaks: no position knows what follows it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.accuracy.exchange import Questions, Sequences
from benchmarks.accuracy.mrgsrec.job import Learner, newest
from benchmarks.accuracy.mrgsrec.network import Graph, MRGSRec, Outputs, Settings, bpr, info_nce

USERS, ITEMS, LENGTH = 12, 20, 6
SETTINGS = Settings(dimension=8, dropout=0.0, length=LENGTH, batch_size=4, negatives=8)


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def scores(outputs: Outputs, embeddings: Tensor) -> Tensor:
    """Return all that has a loss after every click: [B, n, 3 N]."""
    return torch.cat(
        [
            outputs.states @ outputs.table.T,
            outputs.views @ outputs.table.T,
            outputs.fused @ embeddings.T,
        ],
        dim=2,
    )


def learned_scores(network: MRGSRec, clicks: Tensor, batch: Tensor) -> Tensor:
    """Return what a step of learning sees of a batch when these are all users' clicks."""
    pairs = torch.stack([torch.arange(USERS).repeat_interleave(LENGTH), clicks.flatten()], dim=1)
    graph = Graph.of(pairs, USERS, ITEMS).without(batch)
    outputs = network(graph, network.users(batch), clicks[batch, :-1])
    return scores(outputs, network.items.weight)


@pytest.mark.parametrize("changed", range(1, LENGTH))
def test_the_future_does_not_change_a_position(changed: int) -> None:
    """Neither the target nor what follows it, in the input, the graph or its degrees."""
    network = MRGSRec(SETTINGS, USERS, ITEMS)
    clicks = torch.stack([torch.randperm(ITEMS)[:LENGTH] for _ in range(USERS)])
    batch = torch.tensor([3])
    other = clicks.clone()
    unused = [item for item in range(ITEMS) if item not in set(clicks[3].tolist())]
    other[3, changed:] = torch.tensor(unused[: LENGTH - changed])
    before = learned_scores(network, clicks, batch)
    after = learned_scores(network, other, batch)
    torch.testing.assert_close(before[:, :changed], after[:, :changed], rtol=0, atol=1e-6)
    if changed < LENGTH - 1:
        assert (before[:, changed] - after[:, changed]).abs().max() > 1e-4


def test_the_edges_of_the_batch_are_what_would_leak() -> None:
    """The test above has teeth: with the batch's own edges in the graph, it would fail."""
    network = MRGSRec(SETTINGS, USERS, ITEMS)
    pairs = torch.tensor([[0, 1], [0, 2], [1, 2]])
    graph = Graph.of(pairs, USERS, ITEMS)
    table, blind = network.propagate(graph), network.propagate(graph.without(torch.tensor([0])))
    changed = (table - blind).abs().amax(dim=1) > 1e-6
    assert torch.nonzero(changed).flatten().tolist() == [1, 2]


def test_padding_does_not_change_a_sequence() -> None:
    network = MRGSRec(SETTINGS, USERS, ITEMS)
    graph = Graph.of(torch.tensor([[0, 1], [1, 2]]), USERS, ITEMS)
    users = network.users(torch.tensor([0]))
    short = network(graph, users, torch.tensor([[4, 5]]))
    padded = network(graph, users, torch.tensor([[4, 5, 0, 0]]))
    for ours, theirs in ((short.states, padded.states), (short.fused, padded.fused)):
        torch.testing.assert_close(ours, theirs[:, :2])


def test_newest_clicks_stand_left_aligned() -> None:
    items, lengths = newest(Sequences(np.arange(7), np.array([2, 2, 7])), 3)
    assert items.tolist() == [[0, 1, 0], [0, 0, 0], [4, 5, 6]]
    assert lengths.tolist() == [2, 0, 3]


def test_losses_are_those_of_the_paper() -> None:
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    both = torch.nn.functional.normalize(torch.cat([a, b]), dim=1)
    wanted = 0.0
    for row in range(6):
        others = [other for other in range(6) if other != row]
        logits = torch.stack([both[row] @ both[other] for other in others])
        own = both[row] @ both[(row + 3) % 6]
        wanted += float(logits.logsumexp(dim=0) - own) / 6
    assert float(info_nce(a, b)) == pytest.approx(0.5 * wanted, rel=1e-5)
    users, items = torch.randn(2, 4), torch.randn(5, 4)
    target, negatives = torch.tensor([1, 3]), torch.tensor([0, 2, 4])
    worth = [
        torch.nn.functional.logsigmoid(users[row] @ items[target[row]] - users[row] @ items[other])
        for row in range(2)
        for other in negatives
    ]
    assert float(bpr(users, items, target, negatives)) == pytest.approx(
        -float(torch.stack(worth).mean()), rel=1e-5
    )


def walks(count: int) -> Sequences:
    """Return users who walk the items in their order."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, ITEMS, count)
    items = (starts[:, None] + np.arange(LENGTH)) % ITEMS
    return Sequences(items.ravel(), np.arange(1, count + 1) * LENGTH)


def test_it_learns_what_follows_what() -> None:
    settings = replace(SETTINGS, dimension=16, learning_rate=1e-2)
    learner = Learner(settings, walks(60), ITEMS, seed=1)
    for number in range(20):
        assert learner.epoch(number) == 60 * (LENGTH - 1)
    history = Sequences(np.array([3, 4, 5, 11, 12]), np.array([3, 5]))
    found = learner.scores(Questions(np.array([0, 1]), history, None)).block(0, 2)
    found[[0, 0, 0, 1, 1], history.items] = -np.inf
    assert found.argmax(axis=1).tolist() == [6, 13]


def test_it_goes_on_from_disk_bit_by_bit(tmp_path: Path) -> None:
    whole = Learner(SETTINGS, walks(20), ITEMS, seed=1)
    for number in range(4):
        whole.epoch(number)
    first = Learner(SETTINGS, walks(20), ITEMS, seed=1)
    first.epoch(0)
    first.epoch(1)
    first.save(tmp_path / "state")
    second = Learner(SETTINGS, walks(20), ITEMS, seed=1)
    second.load(tmp_path / "state")
    second.epoch(2)
    second.epoch(3)
    for ours, theirs in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_user_never_learned_from_is_the_mean_user() -> None:
    sequences = walks(20)
    ends = np.append(sequences.ends, sequences.ends[-1])
    learner = Learner(SETTINGS, Sequences(sequences.items, ends), ITEMS, seed=1)
    learner.epoch(0)
    history = Sequences(np.array([3]), np.array([1]))
    before = learner.scores(Questions(np.array([20]), history, None)).users
    with torch.no_grad():
        learner.network.users.weight[20] = 100.0
    after = learner.scores(Questions(np.array([20]), history, None)).users
    np.testing.assert_array_equal(before, after)
