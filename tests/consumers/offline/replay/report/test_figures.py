"""The report's plots: which lines are there, and which are drawn before one asks."""

from typing import Any

from consumers.offline.replay.report.figures import decile_plot, plots


def document(*models: str) -> dict[str, Any]:
    """Return a replay of one window in which each model is a little better than the next one."""
    means = {name: {"hr@20": 0.9 - 0.1 * n, "mrr@20": 0.5} for n, name in enumerate(models)}
    return {
        "models": list(models),
        "overall": means,
        "windows": [{"start": 0.0, "end": 3600.0, "scored": 5, **means}],
        "drift": {"alarms": [], "looks": []},
        "cycles": [],
        "options": {"window_seconds": 3600.0},
    }


def test_configurations_and_the_strongest_baselines_are_drawn_first() -> None:
    """The weaker ones are there, for whoever chooses their names."""
    names = ("a", "b", "c", "d", "joint", "joint:other")
    plot = plots(document(*names))[0]
    lines = {line["name"]: line.get("visible", True) for line in plot["data"]}
    assert list(lines) == ["joint", "joint:other", "a", "b", "c", "d"]
    assert [name for name, visible in lines.items() if visible == "legendonly"] == ["d"]
    assert "when their names are chosen" in plot["text"]
    assert "when their names" not in plots(document("joint", "a"))[0]["text"]


def test_hits_by_decile_have_a_line_for_each_model_that_was_tested() -> None:
    """What no click could tell is a gap."""
    rates = {"hr@20_by_decile": [0.5, *[None] * 8, 0.123456]}
    lists = {
        "list_length": 20,
        "tested_by_decile": [8, *[0] * 8, 4],
        "models": {"joint": rates, "graph@60": rates, "unranked": {}},
    }
    plot = decile_plot({"lists": lists})
    assert plot is not None
    assert [line["name"] for line in plot["data"]] == ["joint", "graph"]
    assert plot["data"][0]["y"] == [0.5, *[None] * 8, 0.12346]
    assert plot["data"][0]["x"] == [str(number) for number in range(1, 11)]
    assert "12 tested clicks" in plot["text"]


def test_without_tested_clicks_there_is_no_plot_of_deciles() -> None:
    assert decile_plot({"lists": None}) is None
    lists = {"list_length": 20, "tested_by_decile": [0] * 10, "models": {}}
    assert decile_plot({"lists": lists}) is None
