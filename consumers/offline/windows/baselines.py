"""Which baselines are measured window by window, and which of their columns are shown."""

from collections.abc import Callable, Iterable, Mapping

from consumers.errors import ConfigError
from consumers.offline.replay.rivals import IN_LOOP, BaselineSelection
from gsr.baselines.column_names import kind_of
from gsr.baselines.together import BaselinesTogether


def window_baselines(text: str, monotonic: Callable[[], float]) -> BaselinesTogether:
    """Return the baselines that `text` names (see `BaselineSelection.parse`), empty still.

    Parameters
    ----------
    text
        Their names.
    monotonic
        A clock, in seconds.

    Raises
    ------
    ConfigError
        There is no such baseline, or it is one of a replay without windows alone.
    """
    selection = BaselineSelection.parse(text)
    of_clicks = [name for name in selection.names if name not in IN_LOOP]
    if of_clicks:
        raise ConfigError(
            f"{', '.join(of_clicks)}: no baseline of windows, whose mode frozen ranks by what was "
            f"known before each of them; name those that you want of {', '.join(IN_LOOP)}"
        )
    if selection.choice == "warmup":
        raise ConfigError(
            "windows have no warm-up: half-lives are chosen on the scored cases, which favours "
            "the baselines; leave warmup out"
        )
    return selection.baselines(monotonic)


def best_columns(means: Mapping[str, Mapping[str, float]], metric: str) -> dict[str, str]:
    """Return each kind of model, and its column that is best by `metric`.

    Parameters
    ----------
    means
        Column to metric to mean.
    metric
        The higher, the better.

    Examples
    --------
    >>> best_columns({"joint": {"m": 0.3}, "graph@60": {"m": 0.1}, "graph@90": {"m": 0.2}}, "m")
    {'joint': 'joint', 'graph': 'graph@90'}
    """
    best: dict[str, str] = {}
    for column, found in means.items():
        kind = kind_of(column)
        if kind not in best or found[metric] > means[best[kind]][metric]:
            best[kind] = column
    return best


def columns_by_kind(columns: Iterable[str]) -> dict[str, int]:
    """Return how many columns there are of each kind."""
    counts: dict[str, int] = {}
    for column in columns:
        counts[kind_of(column)] = counts.get(kind_of(column), 0) + 1
    return counts
