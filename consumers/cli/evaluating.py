"""`gsr compare`: whether one evaluation's model is better than another's."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from consumers.cli.commands import command
from consumers.cli.options import AsJson
from consumers.cli.output import print_json, print_table, say

Run = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Directory that gsr evaluate wrote, or a file of ranks."),
]
GraphName = Literal["frozen", "live"]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "compare",
        "gsr compare out/graph-off out/joint",
        "gsr compare out/sasrec out/joint --metric hr@10 --metric ndcg@10",
        "gsr compare out/joint out/joint --graph-b live",
    )(compare)


def compare(
    a: Run,
    b: Run,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Such as hr@10; may be repeated [ndcg@10]."),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=100, max=1_000_000, help="Times to draw all users.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    part: Annotated[
        Literal["test", "valid"], typer.Option("--part", help="Which predictions.")
    ] = "test",
    graph_a: Annotated[GraphName, typer.Option("--graph-a", help="Of the first run.")] = "frozen",
    graph_b: Annotated[GraphName, typer.Option("--graph-b", help="Of the second run.")] = "frozen",
    as_json: AsJson = False,
) -> None:
    """Tell whether the second of two evaluations is better, or was only lucky.

    Draws the users anew many times (paired bootstrap), each user's seeds averaged. p is how often
    chance alone would make two equally good models differ so much.
    """
    from consumers.evaluation.comparison import compare_runs

    result = compare_runs(
        a,
        b,
        metrics=list(dict.fromkeys(metrics or ["ndcg@10"])),
        samples=samples,
        seed=seed,
        part=part,
        graphs=(graph_a, graph_b),
    )
    if as_json:
        print_json(result)
    else:
        _print_comparison(result)


def _print_comparison(result: dict[str, Any]) -> None:
    print_table(
        ("metric", "a", "b", "difference", "gain", "95 % from", "to", "p"),
        [
            (
                name,
                *(f"{found[key]:.4f}" for key in ("mean_a", "mean_b")),
                f"{found['difference']:+.4f}",
                "" if found["relative_gain"] is None else f"{found['relative_gain']:+.1%}",
                *(f"{found[key]:+.4f}" for key in ("low", "high")),
                f"{found['p_value']:.2g}",
            )
            for name, found in result["metrics"].items()
        ],
    )
    for name in ("a", "b"):
        run = result[name]
        seeds = ", ".join(map(str, run["seeds"]))
        say(f"{name}: {run['path']}, {run['graph']} graph, seeds {seeds}")
    say(f"{result['users']:,} users, {result['part']}, {result['samples']:,} draws")
