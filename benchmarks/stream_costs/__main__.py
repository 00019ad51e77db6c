"""What the model of the stream costs, and retrieval beside it: `python -m benchmarks.stream_costs`.

Three parts: what a click costs to be learned, by clicks and by the size of the shop; lists per
second; and the bare inner product of our retrieval, faiss and torch. Every case is measured in a
process of its own, in turn, several times. With `--out` the results are kept after each case, and
the same command goes on where it stopped.

    python -m benchmarks.stream_costs.install
    python -m benchmarks.stream_costs --out docs/results/stream-costs.json
    python -m benchmarks.stream_costs --out FILE --only products --again
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy.measuring import answer_of
from benchmarks.result_file import OtherSettingsError, ResultFile
from benchmarks.stream_costs.learning import LearningCase, measure_learning
from benchmarks.stream_costs.lists import ListsCase, measure_lists
from benchmarks.stream_costs.products import ContenderError, ProductsCase, measure_products
from benchmarks.stream_costs.summary import PARTS, summarise, tables

CLICKS: Final = (100_000, 300_000, 1_000_000)
SIZES: Final = (10_000, 100_000, 1_000_000)
THREADS: Final = (1, 2)
TOGETHER: Final = (1024, 16)
"""Users that are asked for at once: as many as a publisher takes at most, and as it often finds."""

Case = LearningCase | ListsCase | ProductsCase


def main(words: list[str] | None = None) -> None:
    """Measure what is missing, and print the tables; or be measured."""
    arguments = parsed(words)
    if arguments.child:
        print(json.dumps(measured(json.loads(arguments.child))))
        return
    settings = {name: getattr(arguments, name) for name in SETTINGS}
    try:
        results = ResultFile.open(arguments.out, "stream_costs", settings, summarise)
        if arguments.again:
            for part in arguments.only:
                results.drop(part=part)
        measure_missing(arguments, results)
    except (ContenderError, OtherSettingsError) as error:
        sys.exit(str(error))
    print(tables(summarise(results.runs)))


SETTINGS: Final = ("fill", "learned", "users", "rounds", "dimension", "k")


def parsed(words: list[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--clicks", type=int, nargs="+", default=list(CLICKS))
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=list(SIZES), help="users, and items, of a shop"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=list(THREADS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fill", type=int, default=10, help="clicks of each user, by size")
    parser.add_argument("--learned", type=int, default=20_000, help="clicks before lists are made")
    parser.add_argument("--users", type=int, default=1024, help="who are asked for in a round")
    parser.add_argument("--rounds", type=int, default=5, help="of one run")
    parser.add_argument("--dimension", type=int, default=64, help="of the vectors of products")
    parser.add_argument("--k", type=int, default=20, help="items that products find")
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    parser.add_argument("--directory", type=Path, help="where vectors may lie meanwhile")
    parser.add_argument("--out", type=Path, help="keep the results here, and go on from here")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """Yield what is to be measured.

    By clicks: the smallest shop, from its first click on. By size: in the middle of what is
    measured, every shop's users have clicked `fill` times on average, so that histories and rows
    of the graph are as long in all of them.
    """
    sizes, clicks = sorted(arguments.sizes), sorted(arguments.clicks)
    if "learning" in arguments.only:
        for size in sizes:
            earlier = max(arguments.fill * size - clicks[0] // 2, 0)
            yield LearningCase(curve="by_size", size=size, earlier=earlier, clicks=clicks[0])
        for count in clicks:
            yield LearningCase(curve="by_clicks", size=sizes[0], earlier=0, clicks=count)
    if "lists" in arguments.only:
        for size in sizes:
            yield ListsCase(
                size=size,
                earlier=max(arguments.fill * size - arguments.learned, 0),
                learned=arguments.learned,
                users=arguments.users,
                together=TOGETHER,
                rounds=arguments.rounds,
            )
    if "products" in arguments.only:
        for items in sizes:
            for threads in arguments.threads:
                yield ProductsCase(
                    items=items,
                    users=arguments.users,
                    dimension=arguments.dimension,
                    k=arguments.k,
                    threads=threads,
                    rounds=arguments.rounds,
                )


def measure_missing(arguments: argparse.Namespace, results: ResultFile) -> None:
    """Measure the cases in turn, so that a busy minute hits all of them."""
    for number in range(arguments.runs):
        for case in cases(arguments):
            marks = marks_of(case)
            if results.holds(run=number, **marks):
                continue
            print(f"run {number + 1}: {marks}", file=sys.stderr)
            answer = (
                measure_products(case, arguments.directory)
                if isinstance(case, ProductsCase)
                else in_a_process(case)
            )
            results.add(**answer, run=number, **marks)


def marks_of(case: Case) -> dict[str, Any]:
    """Return what tells a case from the others in the file."""
    match case:
        case LearningCase():
            names = ("curve", "size", "clicks")
            return {"part": "learning", **{name: getattr(case, name) for name in names}}
        case ListsCase():
            return {"part": "lists", "size": case.size}
        case ProductsCase():
            return {"part": "products", "items": case.items, "threads": case.threads}


def in_a_process(case: LearningCase | ListsCase) -> dict[str, Any]:
    """Measure a case in a process of its own, whose memory is nothing else's."""
    name = type(case).__name__
    command = [sys.executable, "-m", "benchmarks.stream_costs"]
    return answer_of([*command, "--child", json.dumps({name: asdict(case)})], threads=1)


def measured(task: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Measure, in this process, what another one has asked for."""
    (name, values), *_ = task.items()
    if name == LearningCase.__name__:
        return measure_learning(LearningCase(**values))
    return measure_lists(ListsCase(**{**values, "together": tuple(values["together"])}))


if __name__ == "__main__":
    main()
