"""Send the HTTP API what nobody meant it to get, and watch for defects and for memory that grows.

    python -m benchmarks.serve_fuzz --requests 100000 --out docs/results/serve-fuzz.json

Starts `gsr serve` on a made-up service that takes clicks, and asks for every route of its OpenAPI
document: with values that fit, with ones that nearly fit, with nonsense, and with bytes of a
request changed, lost or doubled. Ends with 1 where any answer is a 5xx, a status that nobody
counts, or none, or where memory grows by more than `--most-growth` after the warm-up.
"""

import argparse
import json
import socket
import sys
import tempfile
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.made_service import MadeService, make_service, serving
from benchmarks.reports import machine, report
from consumers.metrics.catalogue.serve import CODES
from stream.address import Address

MIB: Final = 1 << 20
ITEMS: Final = 5_000
USERS: Final = 2_000
NEIGHBOURS: Final = 16
PATIENCE_SECONDS: Final = 120.0
RENEWED_EVERY: Final = 5_000
"""Requests after which a newer view and model come."""
EXPECTED: Final = frozenset(int(code) for code in CODES if not code.startswith("5"))
"""Statuses that are described, counted in the metrics, and no fault of the service's."""
BROKEN: Final = 0.15
"""Share of requests of which the bytes themselves are changed."""
VALUES: Final = (
    *("", " ", "0", "1", "-1", "5", "200", "201", "1e9", "NaN", "inf", "null", "true", "[]", "{}"),
    *("9" * 400, "item-1", "item-17", "user-3", "user-1999", "nobody", "a/b", "../../etc/passwd"),
    *("\x00", "\ud7ff", "\U0001f4a9", "%", "%00", "%ff", "x" * 256, "x" * 257, "ä" * 128),
    *("' OR 1=1 --", "<script>", "\r\nX: y", "user-", "item-", "\u202e", "a" * 5000),
)
NUMBERS: Final = (0, 1, -1, 5, 200, 201, 2**31, 2**63, 2**64, -(2**63), 0.5, 1e308, -0.0, 1e11)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print, or write, its results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--warm-up", type=float, default=0.2, help="share of them")
    parser.add_argument("--most-growth", type=float, default=16.0, help="MiB after the warm-up")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="gsr-fuzz-") as root:
        rng = np.random.default_rng(arguments.seed)
        made = make_service(Path(root), ITEMS, USERS, NEIGHBOURS, rng)
        with serving(made, accept_clicks="true", timeout_seconds=str(PATIENCE_SECONDS)) as process:
            found = fuzz(arguments, made, process, rng)
    report({"benchmark": "serve_fuzz", **machine(), "seed": arguments.seed, **found}, arguments.out)
    return 0 if found["well"] else 1


def fuzz(
    arguments: argparse.Namespace,
    made: MadeService,
    process: psutil.Process,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Send the requests; return what came back, and how memory went."""
    with urllib.request.urlopen(f"http://{made.address}/openapi.json") as answer:
        routes = operations(json.load(answer))
    caller = Caller(made.address)
    statuses: Counter[str] = Counter()
    faults: list[str] = []
    memory = [process.memory_info().rss]
    warm = int(arguments.warm_up * arguments.requests)
    for number in range(arguments.requests):
        if number % RENEWED_EVERY == 0:
            made.store.publish_view(*made.view)
            made.store.publish_snapshot(*made.model)
            memory.append(process.memory_info().rss)
        if number == warm:
            warm_bytes = process.memory_info().rss
        method, path, entry = routes[int(rng.integers(len(routes)))]
        sent = request(method, path, entry, rng)
        if broken := rng.random() < BROKEN:
            sent = damaged(sent, rng)
        status = caller.ask(sent, broken=broken, head=method == "HEAD")
        statuses[str(status or "none")] += 1
        if status not in EXPECTED and not (broken and status is None):
            faults.append(f"{status}: {sent[:300]!r}")
    caller.close()
    end = process.memory_info().rss
    growth = (end - warm_bytes) / MIB
    return {
        "requests": arguments.requests,
        "routes": len({path for _, path, _ in routes}),
        "statuses": dict(sorted(statuses.items())),
        "faults": faults[:20],
        "resident_mib": {
            "start": round(memory[0] / MIB, 1),
            "after_warm_up": round(warm_bytes / MIB, 1),
            "end": round(end / MIB, 1),
            "course": [round(one / MIB, 1) for one in memory[1:]],
        },
        "well": not faults and growth <= arguments.most_growth and process.is_running(),
    }


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of everything that may be asked for, and of more."""
    found = [
        (method.upper(), path, entry)
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    ]
    others: list[tuple[str, str, dict[str, Any]]] = [
        (method, path, {}) for method in ("HEAD", "PUT", "OPTIONS") for _, path, _ in found
    ]
    # What is described comes ten times as often.
    return found * 10 + others + [("GET", path, {}) for path in ("/", "/app.js", "/openapi.json")]


def request(method: str, path: str, entry: dict[str, Any], rng: np.random.Generator) -> bytes:
    """Return a request, as it goes over the wire."""
    query = []
    for parameter in entry.get("parameters", []):
        name, place = parameter["name"], parameter["in"]
        if place == "path":
            path = path.replace(f"{{{name}}}", quoted(value(rng)))
        elif place == "query":
            times = int(rng.choice([0, 1, 1, 2, 60], p=[0.4, 0.3, 0.2, 0.09, 0.01]))
            query += [f"{quoted(name)}={quoted(value(rng))}" for _ in range(times)]
    path += f"?{'&'.join(query)}" if query else ""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if rng.random() < 0.1:
        head.append(f"If-None-Match: {printable(value(rng))}")
    body = b""
    if method in {"POST", "PUT"}:
        body = json.dumps(document(path, rng)).encode()
        kind = "application/json" if rng.random() < 0.95 else printable(value(rng))
        head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode("latin-1", "replace") + body


def document(path: str, rng: np.random.Generator) -> Any:
    """Return a body, more often than not nearly what the route wants."""
    if rng.random() < 0.15:
        return anything(rng, 3)
    if path.startswith("/v1/rank"):
        clicks = [click(rng, "item_id", "event") for _ in range(int(rng.integers(0, 6)))]
        found: dict[str, Any] = {"clicks": clicks, "k": anything(rng, 0), "exclude": []}
        if rng.random() < 0.7:
            found |= {"k": int(rng.integers(1, 200)), "explain": bool(rng.random() < 0.3)}
        return found
    clicks = [click(rng, "user_id", "item_id", "event") for _ in range(int(rng.integers(1, 4)))]
    return clicks if rng.random() < 0.5 else clicks[0]


def click(rng: np.random.Generator, *names: str) -> dict[str, Any]:
    """Return a click, whole or not."""
    found: dict[str, Any] = {}
    for name in names:
        usual = "click" if name == "event" else f"{name[:4]}-{rng.integers(ITEMS)}"
        found[name] = usual if rng.random() < 0.9 else anything(rng, 1)
    if rng.random() < 0.5:
        found["timestamp"] = anything(rng, 0)
    return found


def anything(rng: np.random.Generator, depth: int) -> Any:
    """Return some JSON value."""
    kind = int(rng.integers(6 if depth else 4))
    if kind == 0:
        return value(rng).encode("utf-8", "replace").decode()
    if kind == 1:
        return NUMBERS[int(rng.integers(len(NUMBERS)))]
    if kind == 2:
        return [None, True, False][int(rng.integers(3))]
    if kind == 3:
        return int(rng.integers(1000))
    if kind == 4:
        return [anything(rng, depth - 1) for _ in range(int(rng.integers(4)))]
    return {value(rng)[:20]: anything(rng, depth - 1) for _ in range(int(rng.integers(4)))}


def value(rng: np.random.Generator) -> str:
    """Return an id that is known, or some text that is not meant well."""
    choice = rng.random()
    if choice < 0.2:
        return f"item-{rng.integers(ITEMS)}"
    if choice < 0.4:
        return f"user-{rng.integers(USERS)}"
    if choice < 0.5:
        return str(rng.integers(1, 201))
    return VALUES[int(rng.integers(len(VALUES)))]


def quoted(text: str) -> str:
    """Return text as a part of a path."""
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


def printable(text: str) -> str:
    """Return what a header can hold of a text."""
    return "".join(letter for letter in text if " " <= letter <= "~")[:200]


def damaged(sent: bytes, rng: np.random.Generator) -> bytes:
    """Return a request with some bytes changed, lost, doubled or put in."""
    found = bytearray(sent)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(found) + 1))
        kind = int(rng.integers(4))
        if kind == 0 and place < len(found):
            found[place] = int(rng.integers(256))
        elif kind == 1:
            del found[place : place + int(rng.integers(1, 20))]
        elif kind == 2:
            found[place:place] = found[place : place + 20]
        else:
            found[place:place] = rng.bytes(int(rng.integers(1, 20)))
    return bytes(found)


class Caller:
    """Asks one request at a time, on a connection that stays open while all goes well.

    Parameters
    ----------
    where
        The API.
    """

    def __init__(self, where: Address) -> None:
        self._where = where
        self._socket: socket.socket | None = None

    def ask(self, sent: bytes, *, broken: bool, head: bool) -> int | None:
        """Return the status of the answer, None where none came.

        After a broken request no more is sent, so that the other side knows that this is all.
        """
        connection = self._socket or socket.create_connection(
            (self._where.host, self._where.port), PATIENCE_SECONDS
        )
        self._socket = None
        try:
            connection.sendall(sent)
            if broken:
                connection.shutdown(socket.SHUT_WR)
            status, reusable = answer_of(connection, head=head)
        except OSError:  # it was hung up on
            status, reusable = None, False
        if reusable and not broken:
            self._socket = connection
        else:
            connection.close()
        return status

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()


def answer_of(connection: socket.socket, *, head: bool) -> tuple[int | None, bool]:
    """Read an answer; return its status, and whether the connection may be used again."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            return None, False
        got += more
    lines, _, body = got.partition(b"\r\n\r\n")
    first, *fields = lines.lower().split(b"\r\n")
    headers = dict(field.split(b": ", 1) for field in fields)
    status = int(first.split()[1])
    if b"content-length" not in headers and status not in {204, 304}:
        return status, False
    missing = 0 if head else int(headers.get(b"content-length", 0)) - len(body)
    while missing > 0:
        more = connection.recv(65536)
        if not more:
            return None, False
        missing -= len(more)
    return status, headers.get(b"connection") != b"close"


if __name__ == "__main__":
    sys.exit(main())
