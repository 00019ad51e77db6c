"""Quality under a published stream protocol, as a small JSON document beside the published rows.

    python -m benchmarks.windows news-by-the-hour clicks.csv.gz --out docs/results/news.json
    python -m benchmarks.windows ader clicks.csv.gz --baselines-only --out …

The protocols are told in `consumers.offline.windows.options.PROTOCOLS`. `--windows N` measures the
first N windows alone, `--share S` tests a random share of the cases, `--histories user` lets the
earlier sessions of a user count, which no published row does; all are noted in the result.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.replays import rounded
from benchmarks.reports import machine, report
from consumers.offline.windows.options import MODES, PROTOCOLS, WindowOptions, protocol_options
from consumers.offline.windows.run import replay_windows
from consumers.runtime.progress import Progress

KEPT: Final = ("counts", "over_windows", "over_cases", "options", "cost")


def main() -> None:
    """Run a protocol and write the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("protocol", choices=sorted(PROTOCOLS))
    parser.add_argument("events", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="where the summary goes")
    parser.add_argument("--mode", choices=[*MODES, "both"], default="frozen")
    parser.add_argument("--baselines-only", action="store_true", help="without the joint model")
    parser.add_argument("--histories", choices=["session", "user"], default="session")
    parser.add_argument("--windows", type=int, help="only the first so many")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases that is tested")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    options: WindowOptions = protocol_options(
        arguments.protocol,
        arguments.events,
        modes=MODES if arguments.mode == "both" else (arguments.mode,),
        joint=not arguments.baselines_only,
        histories=arguments.histories,
        windows=arguments.windows,
        share=arguments.share,
        seed=arguments.seed,
    )
    document = replay_windows(options, show)
    report(summarise(document, arguments.protocol), arguments.out)


def show(progress: Progress) -> None:
    """Tell how far it is."""
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:,.0f} s left"
    print(
        f"{progress.stage}: {progress.done:,} of {progress.total:,}{left} {progress.note}",
        file=sys.stderr,
    )


def summarise(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what is worth keeping of a `document`, rounded, beside the published figures.

    Every window is kept with the published metrics of the first model (the joint one, where it was
    learned) and of the best other one, by the first of these metrics over all windows.
    """
    protocol = PROTOCOLS[name]
    shown = {}
    for mode, means in document["over_windows"].items():
        first, *others = document["models"]
        best = max(others, key=lambda model: means[model][protocol.metrics[0]]) if others else first
        shown[mode] = dict.fromkeys((first, best))
    windows = [
        {"window": window["window"], "sessions": window["sessions"]}
        | {
            mode: {"cases": window[mode]["cases"]}
            | {
                model: {metric: window[mode][model][metric] for metric in protocol.metrics}
                for model in models
                if window[mode]["cases"]
            }
            for mode, models in shown.items()
        }
        for window in document["windows"]
    ]
    kept: dict[str, Any] = rounded({key: document[key] for key in KEPT} | {"windows": windows})
    published = {
        model: dict(zip(protocol.metrics, figures, strict=True))
        for model, figures in protocol.published.items()
    }
    return kept | {
        "protocol": name,
        "source": protocol.source,
        "published": published,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
