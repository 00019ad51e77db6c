"""Names of the columns of baselines' ranks: a kind, and after an "@" its settings."""


def kind_of(column: str) -> str:
    """Return the kind of a column: what its name says before the "@"."""
    return column.partition("@")[0]


def column_settings(column: str) -> dict[str, float]:
    """Return what the name of a column says after the "@"; nothing where it says no numbers.

    Examples
    --------
    >>> column_settings("graph@3600")
    {'half_life_seconds': 3600.0}
    >>> column_settings("mix@900:120:0.8")
    {'graph_half_life_seconds': 900.0, 'popularity_half_life_seconds': 120.0, 'graph_share': 0.8}
    >>> column_settings("ranker")
    {}
    """
    try:
        numbers = [float(number) for number in column.partition("@")[2].split(":")]
    except ValueError:
        return {}
    names: tuple[str, ...] = ("half_life_seconds",)
    if len(numbers) > 1:
        names = ("graph_half_life_seconds", "popularity_half_life_seconds", "graph_share")
    return dict(zip(names, numbers, strict=True))
