"""The causal transformer over a user's clicks."""

import pytest
import torch

from gsr.network.sequence_encoder import (
    GAP_BUCKETS,
    Dropout,
    SequenceEncoder,
    SequenceEnsemble,
    Tokens,
    gap_buckets,
)

WIDTH, LENGTH, EVENTS = 8, 5, 3


def encoder_of(blocks: int = 2, seed: int = 1) -> SequenceEncoder:
    """Return an encoder all of whose weights matter."""
    made = torch.Generator().manual_seed(seed)
    encoder = SequenceEncoder(WIDTH, 2, blocks, LENGTH, EVENTS, True, Dropout(0.0, made))
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=made))
    return encoder.eval()


def tokens_of(lengths: list[int]) -> Tokens:
    """Return where the clicks of users with so many clicks each stand."""
    counts = torch.tensor(lengths)
    row = torch.repeat_interleave(torch.arange(len(lengths)), counts)
    ends = counts.cumsum(0)
    column = torch.arange(len(row)) - (ends - counts)[row]
    longest = max(lengths)
    return Tokens(row * longest + column, column, ends - 1, longest)


def clicks_of(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return vectors, gaps and events of so many clicks."""
    made = torch.Generator().manual_seed(seed)
    vectors = torch.randn(count, WIDTH, generator=made)
    gaps = torch.rand(count, generator=made) * 1000.0
    return vectors, gaps, torch.randint(EVENTS, (count,), generator=made)


def test_a_pause_falls_into_one_bucket_per_doubling() -> None:
    """The first holds what is below a second, the last all that is very long."""
    seconds = torch.tensor([-1.0, 0.0, 1.0, 3.0, 1000.0, 1e30])
    assert gap_buckets(seconds).tolist() == [0, 0, 1, 2, 10, GAP_BUCKETS - 1]


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_state_depends_on_no_later_click(blocks: int) -> None:
    encoder, tokens = encoder_of(blocks), tokens_of([5])
    vectors, gaps, events = clicks_of(5)
    plain = encoder.states(vectors, gaps, events, tokens)
    vectors[3:] += 1.0
    other = encoder.states(vectors, gaps * torch.tensor([1, 1, 1, 9, 9]), events, tokens)
    torch.testing.assert_close(other[:3], plain[:3])
    assert not torch.allclose(other[3:], plain[3:], atol=1e-3)


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_newest_state_is_the_last_of_all(blocks: int) -> None:
    """Computing only what is needed changes nothing."""
    encoder, tokens, clicks = encoder_of(blocks), tokens_of([2, 5, 1]), clicks_of(8)
    every = encoder.states(*clicks, tokens)
    torch.testing.assert_close(encoder(*clicks, tokens), every[tokens.last])


def test_users_do_not_read_each_other() -> None:
    """Nor does the padding of a shorter one matter."""
    encoder, clicks = encoder_of(), clicks_of(7)
    together = encoder(*clicks, tokens_of([2, 5]))
    first = encoder(*(column[:2] for column in clicks), tokens_of([2]))
    second = encoder(*(column[2:] for column in clicks), tokens_of([5]))
    torch.testing.assert_close(together, torch.cat((first, second)))


@pytest.mark.parametrize("changed", ["pauses", "events", "order"])
def test_pauses_events_and_order_are_read(changed: str) -> None:
    encoder, tokens = encoder_of(), tokens_of([4])
    vectors, gaps, events = clicks_of(4)
    plain = encoder(vectors, gaps, events, tokens)
    if changed == "pauses":
        gaps = gaps * 100.0
    elif changed == "events":
        events = (events + 1) % EVENTS
    else:
        vectors = vectors[[1, 0, 2, 3]]
    assert not torch.allclose(encoder(vectors, gaps, events, tokens), plain, atol=1e-3)


def test_encoders_of_an_ensemble_read_their_own_share_of_the_numbers() -> None:
    """Side by side, each as it would by itself."""
    one, other = encoder_of(seed=1), encoder_of(seed=2)
    ensemble, tokens = SequenceEnsemble([one, other]), tokens_of([3, 2])
    vectors, gaps, events = clicks_of(5)
    wide = torch.cat((vectors, vectors.flip(0)), dim=1)
    expected = (one(vectors, gaps, events, tokens), other(vectors.flip(0), gaps, events, tokens))
    torch.testing.assert_close(ensemble(wide, gaps, events, tokens), torch.cat(expected, dim=1))
    states = ensemble.states(wide, gaps, events, tokens)
    torch.testing.assert_close(states[tokens.last], torch.cat(expected, dim=1))


def test_dropout_drops_its_share_in_learning_only() -> None:
    """What is left is scaled up, so that the sum stays; the generator decides."""
    dropout = Dropout(0.25, torch.Generator().manual_seed(3))
    ones = torch.ones(400, 25)
    learned = dropout(ones)
    assert learned.unique().tolist() == pytest.approx([0.0, 256 / 192])
    assert (learned == 0.0).float().mean() == pytest.approx(0.25, abs=0.02)
    dropout.generator.manual_seed(3)
    assert torch.equal(dropout(ones), learned)
    dropout.eval()
    assert torch.equal(dropout(ones), ones)
