"""Spans of time and settings of baselines, in words."""

from collections.abc import Mapping


def duration(seconds: float) -> str:
    """Return a span in words.

    >>> duration(3600.0), duration(7 * 86_400.0), duration(90.0)
    ('1 h', '7 d', '90 s')
    """
    for unit, name in ((86_400.0, "d"), (3600.0, "h")):
        if seconds >= unit and seconds % unit == 0.0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def setting(settings: Mapping[str, float]) -> str:
    """Return what was chosen of one baseline; nothing where it has no settings.

    Parameters
    ----------
    settings
        See `gsr.baselines.column_names.column_settings`; other keys may be there.

    Examples
    --------
    >>> setting({"half_life_seconds": 86_400.0}), setting({})
    ('1 d', '')
    """
    if "graph_share" in settings:
        share = settings["graph_share"]
        return (
            f"{share:.0%} graph of {duration(settings['graph_half_life_seconds'])} with "
            f"{1.0 - share:.0%} popularity of {duration(settings['popularity_half_life_seconds'])}"
        )
    return duration(settings["half_life_seconds"]) if "half_life_seconds" in settings else ""
