"""`gsr evaluate`: how good the model is; `gsr compare`: whether it is better than another."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from consumers.cli.commands import command
from consumers.cli.options import (
    MOST_SEED,
    AsJson,
    ColumnNames,
    ConfigFile,
    EventPaths,
    Header,
    Limit,
    QuotingRule,
    Settings,
    SkipBad,
    TimestampFormat,
    TimestampUnit,
    column_names,
    file_dialect,
    resolve,
)
from consumers.cli.output import print_json, print_table, say, say_skipped

Run = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Directory that gsr evaluate or replay wrote, or a file."),
]
OtherRun = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help="The second one; a replay may stand against itself."),
]
GraphName = Literal["frozen", "live"]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "evaluate",
        "gsr evaluate clicks.csv.gz --out out/joint",
        "gsr evaluate clicks.csv.gz --protocol temporal --out out/later --seeds 1",
        "gsr evaluate clicks.csv.gz --out out/no-vectors --ranker vectors=false "
        "--encoders out/joint",
    )(evaluate)
    command(
        app,
        "compare",
        "gsr compare out/no-vectors out/joint",
        "gsr compare out/sasrec out/joint --metric hr@10 --metric ndcg@10",
        "gsr compare out/joint out/joint --graph-b live",
        "gsr compare out/replay --model joint --against popularity --metric mrr@20",
    )(compare)


def evaluate(
    events: EventPaths,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results go.")],
    config: ConfigFile = None,
    settings: Settings = None,
    columns: ColumnNames = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    time_unit: TimestampUnit = None,
    time_format: TimestampFormat = None,
    protocol: Annotated[
        Literal["leave-one-out", "temporal"],
        typer.Option("--protocol", help="How clicks are split; see docs/evaluation.md."),
    ] = "leave-one-out",
    quantile: Annotated[
        float, typer.Option("--quantile", min=0.01, max=0.99, help="Of time, where temporal cuts.")
    ] = 0.9,
    no_refit: Annotated[
        bool, typer.Option("--no-refit", help="Temporal: test the model that validation selected.")
    ] = False,
    shuffle_ties: Annotated[
        bool, typer.Option("--shuffle-ties", help="Shuffle a user's clicks of one time, by seed.")
    ] = False,
    keep_seen: Annotated[
        bool, typer.Option("--keep-seen", help="Rank items of the user's history too.")
    ] = False,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=100, help="Models to learn and average.")
    ] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, max=MOST_SEED, help="The first seed.")] = 0,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Of the arithmetic [all cores].")
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        typer.Option("--device", help="Where to learn; auto takes CUDA where there is any."),
    ] = "auto",
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.01, help="Processor time to learn one model [no limit]."),
    ] = None,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Passes without a better validation to stop.")
    ] = 20,
    encoders: Annotated[
        Path | None,
        typer.Option(
            "--encoders",
            metavar="DIR",
            help="Take what another evaluation's encoders learned; learn only the ranker.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME=VALUE", help="Of the encoders; may be repeated."),
    ] = None,
    ranker: Annotated[
        list[str] | None,
        typer.Option("--ranker", metavar="NAME=VALUE", help="Of the ranker; may be repeated."),
    ] = None,
    learner: Annotated[
        list[str] | None,
        typer.Option("--learner", metavar="NAME=VALUE", help="How it learns; may be repeated."),
    ] = None,
    limit: Limit = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Learn from an event file, predict held-out clicks among all items, write how well.

    Settings follow from the data unless given. Stopped in the middle, the same command goes on
    where it was. Writes metrics.json, and cases.parquet for gsr compare.
    """
    from consumers.offline.encoder_packages import check_encoder_packages

    check_encoder_packages("gsr evaluate")
    loaded = resolve(config, settings)
    dialect = file_dialect(header, quoting, time_unit, time_format, columns)
    changes = {"--model": _assignments(model, "--model")}
    changes["--ranker"] = _assignments(ranker, "--ranker")
    changes["--learner"] = _assignments(learner, "--learner")
    import torch

    from consumers.cli.progress_bar import progress_bar
    from consumers.offline.evaluation.learning import LearningRules
    from consumers.offline.evaluation.run import EvaluateOptions
    from consumers.offline.evaluation.run import evaluate as evaluate_events
    from consumers.runtime.interruption import Interruption

    if threads is not None:
        torch.set_num_threads(threads)
    with Interruption().caught(), progress_bar() as progress:
        result = evaluate_events(
            EvaluateOptions(
                events=events,
                out=out,
                config=loaded,
                columns=column_names(columns),
                dialect=dialect,
                on_bad="skip" if skip_bad else "fail",
                limit=limit,
                protocol=protocol,
                quantile=quantile,
                refit=not no_refit,
                seeds=range(seed, seed + seeds),
                shuffle_ties=shuffle_ties,
                mask_seen=not keep_seen,
                rules=LearningRules(
                    patience=patience, seconds=None if minutes is None else 60.0 * minutes
                ),
                device=device,
                encoders=encoders,
                model=changes["--model"],
                ranker=changes["--ranker"],
                batch=changes["--learner"],
            ),
            progress,
        )
    if as_json:
        print_json(result)
    else:
        _print_evaluation(result)
    say_skipped(result["data"]["skipped_rows"], result["data"]["skipped_examples"])
    say(f"wrote {out / 'metrics.json'} and {out / 'cases.parquet'}")


def _assignments(texts: list[str] | None, flag: str) -> dict[str, Any]:
    """Return name -> value, read as JSON where it is any."""
    import json

    values: dict[str, Any] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint=flag)
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _print_evaluation(result: dict[str, Any]) -> None:
    names = list(result["test"])
    rows = [
        (part.replace("_", ", "), *(f"{result[part][name]:.4f}" for name in names))
        for part in ("valid", "test", "valid_live", "test_live")
    ]
    if len(result["seeds"]) > 1:
        deviation = result["deviation"]["test"]
        rows.append(("test, deviation", *(f"{deviation[name]:.4f}" for name in names)))
    print_table(("", *names), rows)
    cost = result["cost"]
    seeds = ", ".join(map(str, result["seeds"]))
    say(
        f"seeds {seeds}; {cost['epochs']:.0f} passes and {cost['seconds_per_seed']:,.0f} s a seed, "
        f"{cost['cpu_seconds']:,.0f} s of processor time in all"
    )


def compare(
    a: Run,
    b: OtherRun = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Such as hr@10; may be repeated [ndcg@10]."),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=100, max=1_000_000, help="Times to draw all users.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=MOST_SEED, help="Of the draws.")] = 0,
    part: Annotated[
        Literal["test", "valid"], typer.Option("--part", help="Which predictions.")
    ] = "test",
    graph_a: Annotated[GraphName, typer.Option("--graph-a", help="Of the first run.")] = "frozen",
    graph_b: Annotated[GraphName, typer.Option("--graph-b", help="Of the second run.")] = "frozen",
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="With replays: model of the second.")
    ] = "joint",
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="With replays: of the first [--model]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether the second of two evaluations or replays is better, or was only lucky.

    Draws the users anew many times (paired bootstrap), each user's seeds averaged; of replays also
    stretches of time. p is how often chance alone would make two equally good models differ so
    much.
    """
    from consumers.offline.evaluation.comparison import compare_runs
    from consumers.offline.evaluation.replay_comparison import compare_replays
    from consumers.offline.replay.case_columns import is_replay

    names = list(dict.fromkeys(metrics or ["ndcg@10"]))
    if is_replay(a):
        result = compare_replays(
            a,
            b or a,
            model=model,
            against=against or model,
            metrics=names,
            samples=samples,
            seed=seed,
        )
        if as_json:
            print_json(result)
        else:
            _print_replays(result)
        return
    if b is None:
        raise typer.BadParameter("name two evaluations: only a replay stands against itself")
    result = compare_runs(
        a,
        b,
        metrics=names,
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


def _print_replays(result: dict[str, Any]) -> None:
    rows = []
    for name, found in result["metrics"].items():
        gain = found["relative_gain"]
        for kind in ("users", "windows"):
            drawn = found[kind]
            interval: tuple[str, ...] = ("too few", "", "")
            if drawn is not None:
                ends = (f"{drawn[key]:+.4f}" for key in ("low", "high"))
                interval = (*ends, f"{drawn['p_corrected']:.2g}")
            rows.append(
                (
                    name,
                    *(f"{found[key]:.4f}" for key in ("mean_a", "mean_b")),
                    f"{found['difference']:+.4f}",
                    "" if gain is None else f"{gain:+.1%}",
                    kind,
                    *interval,
                )
            )
    print_table(("metric", "a", "b", "difference", "gain", "other", "95 % from", "to", "p"), rows)
    for name in ("a", "b"):
        say(f"{name}: {result[name]['model']} of {result[name]['path']}")
    say(f"{result['clicks']:,} clicks, {result['samples']:,} draws; p corrected for the metrics")
