"""How a store runs: when it flushes, and what it keeps in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """How a store runs; none of it shapes what is stored.

    Parameters
    ----------
    flush_bytes
        Changed bytes after which a flush is due.
    flush_seconds
        Age of the oldest change after which a flush is due.
    cached_users
        Users kept in memory after a flush; those touched longest ago leave.
    cached_user_bytes
        Memory that they may take, roughly.
    block_cache_bytes, write_buffer_bytes
        Bounds of RocksDB's memory, all column families together.
    """

    flush_bytes: int = 64 * 1024 * 1024
    flush_seconds: float = 2.0
    cached_users: int = 1_000_000
    cached_user_bytes: int = 256 * 1024 * 1024
    block_cache_bytes: int = 64 * 1024 * 1024
    write_buffer_bytes: int = 128 * 1024 * 1024
