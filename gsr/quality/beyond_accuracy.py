"""Beyond accuracy: coverage, concentration, novelty, popularity and diversity of top-k lists.

A list is a row of an int64 array [U, k]: item rows, the best first, -1 where the list is shorter.
What is measured for each list is NaN where a list is empty, which `mean_over_lists` leaves out.
Where RecTools has a metric, its definition is ours.

References
----------
P. Castells, N. Hurley and S. Vargas, Novelty and diversity in recommender systems, Recommender
Systems Handbook, 2015, has an overview.
"""

import numpy as np
import numpy.typing as npt


def mean_over_lists(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of float64 [U] over the lists that have items; NaN where none has.

    Examples
    --------
    >>> mean_over_lists(np.array([1.0, np.nan, 2.0]))
    1.5
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def catalogue_coverage(recommended: npt.NDArray[np.int64], alive: npt.NDArray[np.bool_]) -> float:
    """Return the share of live items that stand in at least one of the recommended lists.

    Parameters
    ----------
    recommended
        int64, any shape: item rows; negative where a list is shorter.
    alive
        bool [N].

    References
    ----------
    M. Ge, C. Delgado-Battenfeld and D. Jannach, Beyond accuracy: evaluating recommender systems by
    coverage and serendipity, RecSys 2010. RecTools: `CatalogCoverage(normalize=True)`.
    """
    live = int(alive.sum())
    if live == 0:
        return 0.0
    shown = np.unique(recommended[recommended >= 0])
    return float(alive[shown].sum()) / live


def exposure_gini(recommended: npt.NDArray[np.int64], alive: npt.NDArray[np.bool_]) -> float:
    """Return how unequally the places of the lists fall to the n live items, 0 to 1.

    With the items' shares ``p_1 ≤ … ≤ p_n`` of all places the Gini index is
    ``Σ_j (2 j - n - 1) p_j / (n - 1)``: 0 where all items are shown equally often, 1 where it is
    always the same one. NaN where nothing is shown, or there are less than two live items.

    Parameters
    ----------
    recommended
        int64, any shape: item rows; negative where a list is shorter.
    alive
        bool [N].

    References
    ----------
    G. Shani and A. Gunawardana, Evaluating recommendation systems, Recommender Systems Handbook,
    2011, section 8.3.8.2.

    Examples
    --------
    >>> everything = np.ones(4, dtype=np.bool_)
    >>> exposure_gini(np.array([[0, 1], [2, 3]]), everything)
    0.0
    >>> exposure_gini(np.array([[2, -1], [2, -1]]), everything)
    1.0
    """
    shown = np.bincount(recommended[recommended >= 0], minlength=len(alive))[alive]
    items, places = len(shown), int(shown.sum())
    if items < 2 or places == 0:  # noqa: PLR2004 - of fewer items none is preferred
        return float("nan")
    order = 2.0 * np.arange(1, items + 1) - items - 1
    return float((order * np.sort(shown)).sum() / (places * (items - 1.0)))


def self_information(
    lists: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], total: int
) -> npt.NDArray[np.float64]:
    """Return the novelty of each list, in bits: the mean of ``-log2(counts[i] / total)``.

    With users per item, and the number of users, it is the mean inverse user frequency; with clicks
    per item, and the number of clicks, the self-information of a click on the item. Items without
    any count as if they had one.

    Parameters
    ----------
    lists
        int64 [U, k].
    counts
        int64 [N].
    total
        What the counts are shares of.

    Returns
    -------
    float64 [U]

    References
    ----------
    T. Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS
    2010. RecTools: `MeanInvUserFreq`.

    Examples
    --------
    >>> self_information(np.array([[0, 1], [1, -1]]), np.array([8, 2]), 8).tolist()
    [1.0, 2.0]
    """
    bits = -np.log2(np.maximum(counts, 1) / max(total, 1))
    return _means(lists, bits)


def recommended_popularity(
    lists: npt.NDArray[np.int64], popularity: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return each list's mean popularity, float64 [U]; their mean is the ARP.

    Parameters
    ----------
    lists
        int64 [U, k].
    popularity
        float64 [N], clicks by item, or its share of all.

    References
    ----------
    H. Yin et al., Challenging the long tail recommendation, VLDB 2012; named average
    recommendation popularity (ARP) by H. Abdollahpouri, R. Burke and B. Mobasher, Managing
    popularity bias in recommender systems with personalized re-ranking, FLAIRS 2019. RecTools:
    `AvgRecPopularity`.
    """
    return _means(lists, popularity)


def popularity_lift(
    lists: npt.NDArray[np.int64],
    histories: npt.NDArray[np.int64],
    popularity: npt.NDArray[np.float64],
) -> float:
    """Return how much more popular the lists are than what the same users clicked themselves.

    It is ``GAP(lists) / GAP(histories) - 1``, where the group average popularity (GAP) is the mean,
    over users, of the mean popularity of their items: 0 where a recommender keeps to the users'
    own taste for what is popular, 1 where its items are twice as popular. Users without a list
    or a history are left out; NaN where that leaves none, or histories without popularity.

    Parameters
    ----------
    lists, histories
        int64 [U, k] and [U, L], -1 where shorter; row u is the same user in both.
    popularity
        float64 [N].

    References
    ----------
    H. Abdollahpouri, M. Mansoury, R. Burke and B. Mobasher, The connection between popularity bias,
    calibration, and fairness in recommendation, RecSys 2020.

    Examples
    --------
    >>> popularity_lift(np.array([[0]]), np.array([[1, -1]]), np.array([9.0, 3.0]))
    2.0
    """
    shown, clicked = _means(lists, popularity), _means(histories, popularity)
    both = ~(np.isnan(shown) | np.isnan(clicked))
    own = float(clicked[both].sum())
    return float(shown[both].sum()) / own - 1.0 if own > 0.0 else float("nan")


def vector_diversity(
    lists: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return each list's intra-list diversity: the mean cosine distance of its pairs of items.

    Lists of one item have 0, as in RecTools. A vector of zeros is at distance 1 of all others.
    Vectors of one of the compared models favour or punish that model.

    Parameters
    ----------
    lists
        int64 [U, k].
    vectors
        float32 [N, d].

    Returns
    -------
    float64 [U], 0 to 2.

    References
    ----------
    B. Smyth and P. McClave, Similarity vs. diversity, ICCBR 2001; C.-N. Ziegler et al., Improving
    recommendation lists through topic diversification, WWW 2005. RecTools: `IntraListDiversity`.

    Examples
    --------
    >>> lists = np.array([[0, 1, 2], [0, 2, -1], [1, -1, -1]])
    >>> vectors = np.array([[1, 0], [0, 1], [3, 0]], dtype=np.float32)
    >>> vector_diversity(lists, vectors).round(3).tolist()
    [0.667, 0.0, 0.0]
    """
    listed = lists >= 0
    if not listed.any():
        return np.full(len(lists), np.nan)
    chosen = vectors[np.where(listed, lists, 0)].astype(np.float64)
    norms = np.where(listed, np.sqrt(np.einsum("ukd,ukd->uk", chosen, chosen)), 0.0)
    scales = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0.0)
    # The squared length of the sum has every cosine twice, and those of items with themselves.
    sums = np.einsum("ukd,uk->ud", chosen, scales)
    cosines = (sums**2).sum(axis=1) - (norms > 0.0).sum(axis=1)
    return _pair_distances(cosines, listed)


def neighbour_diversity(
    lists: npt.NDArray[np.int64], neighbours: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return each list's intra-list diversity: the mean Jaccard distance of items' neighbours.

    Items are alike as far as the same items follow them; an item without neighbours is like none.
    Lists of one item have 0 (see `vector_diversity`).

    Parameters
    ----------
    lists
        int64 [U, k].
    neighbours
        int64 [N, m], each item's strongest neighbours, each once; -1 where there are fewer (see
        `gsr.quality.drift.top_neighbours`).

    Returns
    -------
    float64 [U], 0 to 1.

    Examples
    --------
    >>> neighbours = np.array([[1, 2], [2, 3], [-1, -1]])
    >>> neighbour_diversity(np.array([[0, 1], [0, 2]]), neighbours).round(3).tolist()
    [0.667, 1.0]
    """
    listed = lists >= 0
    if not listed.any():
        return np.full(len(lists), np.nan)
    users, length = lists.shape
    sets = np.where(listed[:, :, None], neighbours[np.where(listed, lists, 0)], -1)
    sizes = (sets >= 0).sum(axis=2)
    owners, places, _ = np.nonzero(sets >= 0)
    # Few pairs share a neighbour: entries of a list with the same neighbour come together.
    keys = owners * (sets.max() + 1) + sets[sets >= 0]
    order = np.argsort(keys, kind="stable")
    keys, owners, places = keys[order], owners[order], places[order]
    pairs = [np.zeros(0, dtype=np.int64)]
    for apart in range(1, length):
        (first,) = np.nonzero(keys[:-apart] == keys[apart:])
        if len(first) == 0:
            break
        pairs.append((owners[first] * length + places[first]) * length + places[first + apart])
    # The stable order above has each pair's earlier place first.
    found, shared = np.unique(np.concatenate(pairs), return_counts=True)
    owner, one, other = np.unravel_index(found, (users, length, length))
    union = sizes[owner, one] + sizes[owner, other] - shared
    likeness: npt.NDArray[np.float64] = np.zeros(users)
    np.add.at(likeness, owner, shared / union)
    return _pair_distances(2.0 * likeness, listed)


def _means(
    lists: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the mean of items' `values` [N] over each list, NaN for an empty one."""
    listed = lists >= 0
    if not listed.any():
        return np.full(len(lists), np.nan)
    found = np.where(listed, values[np.where(listed, lists, 0)], 0.0).sum(axis=1)
    lengths = listed.sum(axis=1)
    return np.where(lengths > 0, found / np.maximum(lengths, 1), np.nan)


def _pair_distances(
    likeness: npt.NDArray[np.float64], listed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return mean distances from sums [U] of likenesses over the ordered pairs of each list."""
    lengths = listed.sum(axis=1)
    pairs = lengths * (lengths - 1)
    distances = np.where(pairs > 0, 1.0 - likeness / np.maximum(pairs, 1), 0.0)
    return np.where(lengths > 0, distances, np.nan)
