"""Quality under a published stream protocol, as a small JSON document beside the published rows.

    python -m benchmarks.windows news-by-the-hour clicks.csv.gz --mode both --out news.json
    python -m benchmarks.windows ader clicks.csv.gz --without-joint --mode both --out …
    python -m benchmarks.windows --join joint.json baselines.json --out docs/results/news.json

The protocols are told in `consumers.offline.windows.options.PROTOCOLS`. Baselines are named as in
`gsr replay --baselines`. Pieces that were measured apart, the joint model in one run and slow
baselines in others, are joined into one document where they tested the same cases.

`--windows N` measures the first N windows alone, `--share S` tests a random share of the cases,
`--histories user` lets the earlier sessions of a user count, which no published row does,
`--repeats exclude` does not offer what the session has clicked; all are noted in the result.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.reports import machine, report
from benchmarks.window_summaries import join, summarise
from consumers.offline.windows.baselines import window_baselines
from consumers.offline.windows.options import MODES, PROTOCOLS, protocol_options
from consumers.offline.windows.run import replay_windows
from consumers.runtime.progress import Progress
from consumers.runtime.threads import limit_threads


def main() -> None:
    """Run a protocol, or join what was measured before, and write the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("protocol", choices=sorted(PROTOCOLS), nargs="?")
    parser.add_argument("events", type=Path, nargs="?")
    parser.add_argument("--join", type=Path, nargs="+", help="summaries of the same cases")
    parser.add_argument("--out", type=Path, required=True, help="where the summary goes")
    parser.add_argument("--mode", choices=[*MODES, "both"], default="frozen")
    parser.add_argument("--baselines", default="default", help="as in gsr replay")
    parser.add_argument("--without-joint", action="store_true", help="the baselines alone")
    parser.add_argument("--histories", choices=["session", "user"], default="session")
    parser.add_argument("--repeats", choices=["include", "exclude"], default="include")
    parser.add_argument("--windows", type=int, help="only the first so many")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases that is tested")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.join and arguments.protocol is None:
        summary = join([json.loads(path.read_text()) for path in arguments.join])
    elif arguments.events is not None and not arguments.join:
        summary = measured(arguments)
    else:
        parser.error("give a protocol and a file, or --join alone")
    report(summary, arguments.out)


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the protocol that `arguments` name, and return the summary."""
    options = protocol_options(
        arguments.protocol,
        arguments.events,
        modes=MODES if arguments.mode == "both" else (arguments.mode,),
        joint=not arguments.without_joint,
        histories=arguments.histories,
        repeats=arguments.repeats,
        windows=arguments.windows,
        share=arguments.share,
        seed=arguments.seed,
    )
    limit_threads(options.config.trainer.threads)
    baselines = window_baselines(arguments.baselines, time.monotonic)
    document = replay_windows(options, baselines, show)
    return summarise(document | {"protocol": arguments.protocol, "machine": machine()})


def show(progress: Progress) -> None:
    """Tell how far it is."""
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:,.0f} s left"
    print(
        f"{progress.stage}: {progress.done:,} of {progress.total:,}{left} {progress.note}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
