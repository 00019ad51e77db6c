"""Quality under a published stream protocol, as a small JSON document beside the published rows.

    python -m benchmarks.windows news-by-the-hour clicks.csv.gz --out docs/results/news.json
    python -m benchmarks.windows ader clicks.csv.gz --baselines-only --out …

The protocols are told in `consumers.offline.windows.options.PROTOCOLS`. `--windows N` measures the
first N windows alone, `--share S` tests a random share of the cases; both are noted in the result.
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
    parser.add_argument("--windows", type=int, help="only the first so many")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases that is tested")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    options: WindowOptions = protocol_options(
        arguments.protocol,
        arguments.events,
        modes=MODES if arguments.mode == "both" else (arguments.mode,),
        joint=not arguments.baselines_only,
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
    """Return what is worth keeping of a `document`: the published metrics of every window too."""
    protocol = PROTOCOLS[name]
    windows = [
        {
            "window": window["window"],
            **{
                mode: {
                    "cases": window[mode]["cases"],
                    **{
                        model: {metric: means[metric] for metric in protocol.metrics}
                        for model, means in window[mode].items()
                        if model != "cases"
                    },
                }
                for mode in document["over_windows"]
            },
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
