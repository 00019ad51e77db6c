"""The role `serve`: follows topics, models and views, and answers over HTTP."""

import logging
import sys
from contextlib import ExitStack
from typing import Final

from consumers.artifacts.store import ArtifactStore
from consumers.artifacts.written_settings import refuse_other_journal
from consumers.config.sections.serve import is_loopback
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.serve.api_server import ApiServer, read_token
from consumers.roles.serve.application import build_application
from consumers.roles.serve.batching_thread import BatchingThread
from consumers.roles.serve.click_posting import ClickPosting
from consumers.roles.serve.guard import Guard
from consumers.roles.serve.item_routes import item_routes
from consumers.roles.serve.list_answers import ListAnswers
from consumers.roles.serve.page_routes import page_routes
from consumers.roles.serve.questions import Answer, Answerer, Question
from consumers.roles.serve.rare_warnings import RareWarnings
from consumers.roles.serve.served_artifacts import ServedArtifacts
from consumers.roles.serve.service_routes import service_routes
from consumers.roles.serve.small_topics import SmallTopics
from consumers.roles.serve.status_board import StatusBoard
from consumers.roles.serve.user_routes import user_routes
from consumers.roles.serve.user_store import KINDS, UserStore
from consumers.roles.serve.user_topics import UserTopics
from consumers.serving.item_titles import ItemTitles
from consumers.topics.read_trouble import ReadTrouble
from stream.address import Address
from stream.clock import Clock, Periodic
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

IDLE_POLL_SECONDS: Final = 0.02
MEASURE_SECONDS: Final = 1.0
SWITCH_SECONDS: Final = 0.001
"""How long one thread may hold the interpreter while others wait: answers are short, loading is
not."""


class ServeRole:
    """Keeps what the API answers from up to date; the API has threads of its own.

    Parameters
    ----------
    config
        All settings; `log`, `events`, `publisher`, `serve` and `http` are used.
    log, clock, metrics
        The seams to the world.
    artifacts
        Where models and views come from.

    Attributes
    ----------
    posting
        What takes clicks; None where none are taken.

    Raises
    ------
    ConfigError
        The token or the certificate cannot be used.
    PortBusyError
        Someone else listens at `serve.port`.
    StateLockedError
        Another process has the store of users.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        refuse_other_journal(artifacts, config)
        token = read_token(config.serve.token_file)
        self._config = config
        self._metrics = metrics
        self._next_measure = Periodic(clock, MEASURE_SECONDS)
        with ExitStack() as parts:
            self._store = open_store(config, log)
            parts.callback(self._store.close)
            trouble = ReadTrouble(metrics, "serve")
            self._defaults = SmallTopics(log, config.log, clock, trouble)
            parts.callback(self._defaults.close)
            self._topics = UserTopics(log, config.log, self._store, clock, metrics, trouble)
            parts.callback(self._topics.close)
            self._titles = ItemTitles(config.titles_file)
            parts.callback(self._titles.close)
            self._next_titles = Periodic(clock, config.serve.refresh_seconds)
            self._artifacts = ServedArtifacts(config, artifacts, clock, self._defaults.controls)
            self._board = StatusBoard(
                config, log, clock, self._artifacts, self._store, self._topics
            )
            parts.callback(self._board.close)
            most_waiting = config.serve.waiting_requests
            self._thread: BatchingThread[Question, Answer] = BatchingThread(
                "scores",
                Answerer(self._artifacts, self._titles, metrics, clock).answer,
                most_waiting,
            )
            parts.callback(self._thread.close)
            self.posting: ClickPosting | None = None
            if config.serve.accept_clicks:
                self.posting = ClickPosting(
                    log,
                    config.log.clicks,
                    config.events.rules(),
                    most=config.serve.clicks_per_request,
                    most_waiting=most_waiting,
                    clock=clock,
                    metrics=metrics,
                )
                parts.callback(self.posting.close)
            lists = ListAnswers(
                self._store,
                self._defaults,
                lambda: self._topics.newest_users,
                self._thread,
                self._titles,
                clock,
                metrics,
            )
            application = build_application(
                user_routes(config, lists, self._artifacts, clock),
                item_routes(config, self._thread, self._titles, clock),
                service_routes(config, self._board, self.posting),
                page_routes(),
                token_asked=token is not None,
            )
            self._guard = Guard(application, config.serve, token, clock, metrics)
            rare = RareWarnings(clock)
            rare.begin()
            parts.callback(rare.end)
            self._server = ApiServer(self._guard, config.serve)
            parts.callback(self._server.close)
            self._parts = parts.pop_all()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._say_where(token)

    @property
    def address(self) -> Address:
        """Where the API answers."""
        return self._server.address

    def step(self) -> bool:
        """Take over what has come; True where anything had.

        Raises
        ------
        StreamError
            The log or the store cannot go on; the message says what to do.
        """
        if self._artifacts.refresh():
            self._note_version()
        if self._next_titles.due():
            self._titles.refresh()
        if self._defaults.follow():
            self._artifacts.block()
        worked = self._topics.follow(IDLE_POLL_SECONDS)
        if self._next_measure.due():
            self._measure()
        return worked

    def checks(self) -> dict[str, bool]:
        """Return what must hold before this role counts as ready."""
        stalled_seconds = self._config.process.stalled_seconds
        followed = self._topics.followed.values()
        return {
            "caught_up": self._topics.caught_up(),
            "progressing": all(
                one.is_recent() and not one.stalled(stalled_seconds) for one in followed
            ),
            "view": self._artifacts.has_items,
            "answering": self._server.alive,
        }

    def close(self) -> None:
        """Answer what was asked, and let go of everything."""
        self._parts.close()

    def _say_where(self, token: bytes | None) -> None:
        settings = self._config.serve
        scheme = "https" if settings.tls_certificate_file else "http"
        _LOGGER.info("a page to look at: %s://%s/", scheme, self.address)
        _LOGGER.info("%s://%s/v1 (described by /openapi.json)", scheme, self.address)
        if token is not None and scheme == "http" and not is_loopback(settings.host):
            _LOGGER.warning(
                "the token goes over the network in the clear: name a certificate "
                "(serve.tls_certificate_file), or put something in front that has one"
            )

    def _note_version(self) -> None:
        facts, gauge = self._artifacts.facts, self._metrics.gauge
        gauge("gsr_serve_model_version").set(facts.model_version)
        gauge("gsr_serve_model_timestamp_seconds").set(facts.model_created_at)
        gauge("gsr_serve_view_timestamp_seconds").set(facts.view_created_at)

    def _measure(self) -> None:
        self._topics.measure()
        self._board.look()
        gauge = self._metrics.gauge
        moments = []
        for kind in KINDS:
            followed = self._topics.followed[kind]
            lag = sum(one.readable for one in followed.lags.values())
            gauge("gsr_serve_lag_records").labels(kind).set(lag)
            gauge("gsr_serve_stored_users").labels(kind).set(self._store.users(kind))
            moments += [followed.progressed_at(partition) for partition in followed.lags]
        if moments:
            gauge("gsr_serve_progress_timestamp_seconds").set(min(moments))
        gauge("gsr_serve_store_bytes").set(self._store.nbytes())
        gauge("gsr_serve_waiting_requests").set(self._thread.waiting)
        gauge("gsr_serve_blocked_items").set(len(self._defaults.controls.blocked))
        gauge("gsr_serve_titles").set(self._titles.count)
        gauge("gsr_serve_counted_clients").set(self._guard.counted_clients)


def open_store(config: GsrConfig, log: Log) -> UserStore:
    """Open the store of users, which belongs to the topics as they are now."""
    lists, sequences = config.log.recommendations, config.log.sequences
    return UserStore.open(
        config.serve_directory,
        log.topic_ids([lists, sequences]),
        {"lists": log.written_offsets(lists), "sequences": log.written_offsets(sequences)},
        cache_bytes=config.serve.cache_bytes,
        write_buffer_bytes=config.serve.write_buffer_bytes,
    )
