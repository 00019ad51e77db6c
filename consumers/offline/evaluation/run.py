"""`gsr evaluate`: read, split, learn with several seeds, rank, write."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from pydantic import TypeAdapter, ValidationError

from consumers.errors import ConfigError
from consumers.offline.evaluation.event_data import EventData, Protocol, read_event_data
from consumers.offline.evaluation.learning import LearningRules, SeedLearning
from consumers.offline.evaluation.ranking import RankingSettings, SeedRanking, counted_for
from consumers.offline.evaluation.result import Evaluation, SeedCost, SeedRun
from consumers.offline.history_file import HistoryOptions
from consumers.runtime.outputs import check_output
from consumers.runtime.progress import Progress, ProgressCallback, quiet
from consumers.runtime.usage import process_usage
from gsr.config import BatchConfig, ModelConfig
from gsr.learning.batch_defaults import batch_model, batch_ranker
from gsr.quality.protocols import Split
from gsr.ranker.config import RankerConfig
from gsr.ranker.features import feature_layout
from stream.clock import SystemClock

_Settings = TypeVar("_Settings", ModelConfig, BatchConfig, RankerConfig)

ENCODERS: Final = frozenset(one.name for one in fields(ModelConfig)) - {
    "half_lives",
    "event_weights",
}
"""Settings of the encoders that may be changed: the others follow from the graph and the events."""

_FOLLOWING: Final = frozenset({"event_weights", "dimension"})
"""Fields of `RankerConfig` that nobody sets here: they follow from the events and the encoders."""

KEPT_NAME: Final = "learning"
"""Folder of what an interrupted evaluation goes on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions(HistoryOptions):
    """Events to learn and to predict, and how; of the settings only those of events are used.

    Parameters
    ----------
    out
        Directory of the results.
    protocol, quantile, refit
        See `gsr.quality.protocols`.
    seeds
        One model for each.
    shuffle_ties, mask_seen
        See `Evaluation`.
    rules
        When learning ends.
    device
        Where to learn and score: a device of torch, or "auto", which is the first CUDA device
        where there is one.
    encoders
        The `out` of another evaluation, whose encoders are taken instead of learning any.
    model, ranker, batch
        Settings of the encoders, of the ranker and of learning that differ from those that the data
        suggest, by name.
    """

    out: Path
    protocol: Protocol = "leave-one-out"
    quantile: float = 0.9
    refit: bool = True
    seeds: Sequence[int] = (0, 1, 2)
    shuffle_ties: bool = False
    mask_seen: bool = True
    rules: LearningRules = field(default_factory=LearningRules)
    device: str = "auto"
    encoders: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    ranker: Mapping[str, Any] = field(default_factory=dict)
    batch: Mapping[str, Any] = field(default_factory=dict)


def evaluate(options: EvaluateOptions, progress: ProgressCallback = quiet) -> dict[str, Any]:
    """Evaluate; return the content of `metrics.json`.

    Raises
    ------
    EventFileError
        The file cannot be read, or holds too little for the protocol.
    ConfigError
        A setting does not exist, or cannot be.
    ArtifactError
        The encoders that were to be taken are not there or do not fit.
    TrainingError
        Learning failed.
    StorageFullError
        The results cannot be written; found before learning where it is so then.
    """
    began = time.monotonic()
    device = chosen_device(options.device)
    check_output(options.out)
    file = options.open(now=SystemClock().time())
    rules = options.config.events.rules()
    data = read_event_data(file, rules, options.limit, progress)
    runs = [_run_seed(options, data, seed, device, progress) for seed in options.seeds]
    model, ranker, batch = _settings(options, runs[0].split)
    evaluation = Evaluation(
        data=data,
        mask_seen=options.mask_seen,
        ties="shuffled" if options.shuffle_ties else "file",
        runs=runs,
        seconds=time.monotonic() - began,
        peak_memory_bytes=process_usage().peak_memory_bytes,
        settings={
            "encoders": {name: value for name, value in asdict(model).items() if name in ENCODERS},
            "ranker": {name: v for name, v in asdict(ranker).items() if name != "dimension"},
            "learner": asdict(batch),
            "stopping": asdict(options.rules),
            "device": device,
            "encoders_of": None if options.encoders is None else str(options.encoders),
        },
    )
    return evaluation.write(options.out)


def chosen_device(asked: str) -> str:
    """Return the device that "auto" means here; any other name is returned as it is.

    Raises
    ------
    ConfigError
        It is not there.
    """
    has_cuda = torch.cuda.is_available()
    if asked == "auto":
        return "cuda" if has_cuda else "cpu"
    if asked == "cuda" and not has_cuda:
        raise ConfigError(
            "--device cuda: torch finds no CUDA device here; take --device cpu, or look at "
            "nvidia-smi and at which torch is installed"
        )
    return asked


def _run_seed(
    options: EvaluateOptions,
    data: EventData,
    seed: int,
    device: str,
    progress: ProgressCallback,
) -> SeedRun:
    ordered = data.shuffled_ties(seed) if options.shuffle_ties else data
    split = ordered.split(options.protocol, quantile=options.quantile, refit=options.refit)
    model, ranker, batch = _settings(options, split)
    learning = SeedLearning(
        split,
        model,
        batch,
        seed,
        rules=options.rules,
        mask_seen=options.mask_seen,
        device=device,
        kept=(options.encoders or options.out) / KEPT_NAME / f"seed-{seed}.safetensors",
        borrowed=options.encoders is not None,
    )
    encoders = learning.learn(progress)
    settings = RankingSettings(ranker=ranker, batch=batch, seed=seed, mask_seen=options.mask_seen)
    ranking = SeedRanking(split, settings)
    with learning.timed():
        progress(Progress(stage=f"seed {seed}: learning the ranker", done=0, total=0))
        ranking.learn(encoders)
    progress(Progress(stage=f"seed {seed}: ranking", done=0, total=0))
    valid = ranking.ranks(encoders, split.valid)
    if split.refits:
        encoders = learning.learn_again(progress)
    test = ranking.ranks(encoders, split.test)
    record = learning.record
    return SeedRun(
        seed=seed,
        split=split,
        ranks={
            ("valid", "frozen"): valid.frozen,
            ("valid", "live"): valid.live,
            ("test", "frozen"): test.frozen,
            ("test", "live"): test.live,
        },
        cost=SeedCost(
            seconds=record.seconds, cpu_seconds=record.cpu_seconds, epochs=float(record.passes)
        ),
        facts={"best_pass": record.best_pass},
    )


def _settings(
    options: EvaluateOptions, split: Split
) -> tuple[ModelConfig, RankerConfig, BatchConfig]:
    """Return what the data suggest, with what was set by hand."""
    clicks, ends = split.interactions, split.valid.learned_ends
    events = tuple(options.config.events.weights.values())
    encoders = replace(batch_model(clicks, ends), event_weights=events)
    model = _changed(encoders, ENCODERS, options.model, "--model")
    suggested = batch_ranker(clicks, ends, events)
    known = frozenset(asdict(suggested)) - _FOLLOWING
    ranker = _changed(suggested, known, options.ranker, "--ranker")
    try:
        counted_for(ranker, clicks.item_count)
        feature_layout(ranker.half_lives, ranker.close_half_lives).switched_on(ranker.without)
    except ValueError as error:
        raise ConfigError(f"--ranker: {error}") from error
    if not ranker.vectors:
        model = replace(
            model, sequence_encoder=False, graph_encoder=False
        )  # nobody would read them
    if not (model.sequence_encoder or (model.graph_encoder and model.hops)):
        ranker = replace(ranker, vectors=False)
    batch = _changed(BatchConfig(), frozenset(asdict(BatchConfig())), options.batch, "--learner")
    return model, ranker, batch


def _changed(
    settings: _Settings, known: frozenset[str], changes: Mapping[str, Any], flag: str
) -> _Settings:
    """Return settings with changes of the `known` ones, as `flag` gave them."""
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ConfigError(
            f"{flag} {unknown[0]}: there is no such setting; there are {', '.join(sorted(known))}"
        )
    try:
        return TypeAdapter(type(settings)).validate_python({**asdict(settings), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join((flag, ".".join(map(str, first["loc"])))).strip()
        raise ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
