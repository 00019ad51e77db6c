"""The event log of a single machine: a directory of SQLite files, no server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from stream.clock import Clock
from stream.errors import LogFullError, LogUnavailableError
from stream.log.embedded.file import SqliteFile
from stream.log.embedded.storage_log import StorageLog
from stream.log.embedded.topic import SqliteTopic
from stream.log.interface import TopicSpec

_SUFFIX: Final = ".db"


class EmbeddedLog(StorageLog):
    """A `Log` in a directory, one SQLite file per topic, for any number of processes.

    An append is one transaction: whole or absent after a kill, whatever moment it comes at.
    Removing old records is up to whoever owns the log: see `clean`.

    Parameters
    ----------
    directory
        Created with its first topic; on a local disk, because SQLite's shared memory does not
        work over a network file system.
    clock
        Stamps what is appended and times what waits.
    survive_power_loss
        Let every append wait until the disk has it. Without, an append is several times faster
        where it holds few records; what was appended still survives a killed process, but the
        newest appends may be lost with the machine's power, and state that has consumed them
        would then be ahead of the log.
    busy_timeout_seconds
        How long an append waits for other processes' before LogUnavailableError.
    active_records
        The newest records of a partition that compaction leaves alone, so that readers at the
        end of a topic see every record.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        survive_power_loss: bool = True,
        busy_timeout_seconds: float = 10.0,
        active_records: int = 1000,
    ) -> None:
        super().__init__(clock)
        self.directory = directory.absolute()  # threads open files later, perhaps elsewhere
        self._survive_power_loss = survive_power_loss
        self._busy_timeout_seconds = busy_timeout_seconds
        self._active_records = active_records

    def _topic_names(self) -> Sequence[str]:
        with _directory_errors(self.directory):
            return sorted(path.stem for path in self.directory.glob(f"[!.]*{_SUFFIX}"))

    def _open_storage(self, topic: str) -> SqliteTopic | None:
        path = self._path(topic)
        if not path.is_file():
            return None
        file = SqliteFile(
            path,
            survive_power_loss=self._survive_power_loss,
            busy_timeout_seconds=self._busy_timeout_seconds,
        )
        try:
            return SqliteTopic(file, self._clock, active_records=self._active_records)
        except BaseException:
            file.close()
            raise

    def _create_storage(self, spec: TopicSpec) -> SqliteTopic:
        lock = FileLock(self.directory / ".lock", timeout=self._busy_timeout_seconds)
        with _directory_errors(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            try:
                with lock:
                    if not self._path(spec.name).exists():
                        SqliteFile.create(self._path(spec.name), spec)
            except Timeout as error:
                raise LogUnavailableError(
                    f"{self.directory}: another process has been creating a topic for "
                    f"{self._busy_timeout_seconds:g} seconds, try again"
                ) from error
        storage = self._open_storage(spec.name)
        if storage is None:
            raise LogUnavailableError(f"{self._path(spec.name)} vanished, try again")
        return storage

    def _path(self, topic: str) -> Path:
        return self.directory / f"{topic}{_SUFFIX}"


@contextmanager
def _directory_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LogFullError(
            f"the log directory {directory} cannot be used ({error.strerror}): free space on its "
            "disk or correct its permissions, then restart"
        ) from error
