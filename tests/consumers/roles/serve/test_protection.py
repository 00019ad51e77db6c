"""Who may ask, how much, how often; and what they are told where they may not."""

import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumers.config.loading import load_config
from consumers.config.sections.serve import ServeSection
from consumers.errors import ConfigError, PortBusyError
from consumers.roles.serve.host_names import allowed_hosts
from consumers.roles.serve.questions import Answerer
from tests.consumers.roles.serve.conftest import filled
from tests.consumers.serve_world import Api, Reply, World

LIST = "/v1/users/u1/recommendations"
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of nothing
SESSION = {"clicks": [{"item_id": "i0"}]}


def is_problem(reply: Reply, status: int, kind: str) -> None:
    """Check that an answer is a problem as RFC 9457 has it, with words on what to do."""
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.document
    assert document["type"] == f"urn:gsr:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert len(document["detail"]) > 20


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/page/nothing.js", 404, "not-found"),
        ("/page/__init__.py", 404, "not-found"),
        ("/page/..%2Frole.py", 404, "not-found"),
        ("/v1", 404, "not-found"),
        ("/v1/users/", 404, "not-found"),
        ("/v1/status/", 404, "not-found"),
        ("/v1/users//recommendations", 404, "not-found"),
        ("/docs", 404, "not-found"),
        ("/v1/users/nobody", 404, "unknown-user"),
        ("/v1/users/%FF", 422, "wrong-request"),
        (f"/v1/users/{'x' * 257}", 422, "wrong-request"),
        (f"/v1/users/{'%C3%BC' * 129}/recommendations", 422, "wrong-request"),
        (f"{LIST}?k=0", 422, "wrong-request"),
        (f"{LIST}?k=201", 422, "wrong-request"),
        (f"{LIST}?k=many", 422, "wrong-request"),
        (f"{LIST}?explain=perhaps", 422, "wrong-request"),
        (f"{LIST}?exclude=", 422, "wrong-request"),
        (f"{LIST}?exclude={'%C3%BC' * 129}", 422, "wrong-request"),
        (f"{LIST}?{'&'.join(['exclude=i'] * 1001)}", 422, "wrong-request"),
        ("/v1/items/i0/neighbours?k=0", 422, "wrong-request"),
        ("/v1/items/i0/similar?k=1e9", 422, "wrong-request"),
        ("/v1/rank", 405, "method-not-allowed"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(api: Api, path: str, status: int, kind: str) -> None:
    """Whatever is wrong with the path or the query."""
    is_problem(api.get(path), status, kind)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "body.clicks"),
        ([], "body"),
        ({"clicks": []}, "body.clicks"),
        ({"clicks": [{"item_id": "i0"}] * 201}, "body.clicks"),
        ({"clicks": [{"item_id": ""}]}, "body.clicks.0.item_id"),
        ({"clicks": [{"item_id": 4}]}, "body.clicks.0.item_id"),
        ({"clicks": [{"item_id": "\ud800"}]}, "body.clicks.0.item_id"),
        ({"clicks": [{"item_id": "ü" * 129}]}, "clicks"),
        ({"clicks": [{"item_id": "i0", "event": "wink"}]}, "clicks.0.event"),
        ({"clicks": [{"item_id": "i0", "timestamp": float("nan")}]}, "body.clicks.0.timestamp"),
        ({"clicks": [{"item_id": "i0", "timestamp": -1}]}, "body.clicks.0.timestamp"),
        ({"clicks": [{"item_id": "i0", "timestamp": 9e10}]}, "clicks"),
        (
            {"clicks": [{"item_id": "i0", "timestamp": 9}, {"item_id": "i1", "timestamp": 8}]},
            "clicks",
        ),
        ({"clicks": [{"item_id": "i0", "timestamp": 9}, {"item_id": "i1"}]}, "clicks"),
        ({**SESSION, "k": 201}, "body.k"),
        ({**SESSION, "k": 1.5}, "body.k"),
        ({**SESSION, "exclude": ["x"] * 1001}, "body.exclude"),
    ],
)
def test_a_session_that_is_none_is_refused(api: Api, document: object, where: str) -> None:
    """The field is named; what was sent is not repeated."""
    reply = api.post("/v1/rank", document)
    is_problem(reply, 422, "wrong-request")
    assert reply.document["errors"][0]["where"] == where


def test_only_json_of_a_certain_size_is_read(api: Api) -> None:
    """Other bodies are refused before anything reads them."""
    is_problem(api.post("/v1/rank", SESSION, **{"Content-Type": "text/plain"}), 415, KINDS[415])
    is_problem(api.post("/v1/rank", b"{"), 422, "wrong-request")
    is_problem(api.post("/v1/rank", b" " * 262_145), 413, "too-large")
    announced = {"Content-Type": "application/json", "Content-Length": "999999999"}
    is_problem(api.ask("POST", "/v1/rank", b"{}", announced), 413, "too-large")
    nested = b'{"clicks":' + b"[" * 100_000
    assert api.post("/v1/rank", nested).status in {400, 422}
    assert api.post("/v1/rank", SESSION).status == 200


KINDS = {415: "unsupported-media-type", 429: "too-many-requests", 401: "unauthorized"}


def test_without_the_token_nobody_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever names it is; it is in no message, and the document asks for it."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    world = World(tmp_path / "state", {"token_file": str(file)})
    world.publish_view()
    with caplog.at_level("DEBUG"), world.serving() as api:
        api.ready()
        wrong = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
        wrong += [{"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}]
        for headers in wrong:
            reply = api.get("/v1/status", **headers)
            is_problem(reply, 401, KINDS[401])
            assert reply.headers["www-authenticate"] == "Bearer"
        assert api.get("/v1/nothing").status == 401
        assert api.get("/v1/status", Authorization=f"bearer {TOKEN}").status == 200
        described = api.get("/openapi.json").document
        assert described["security"] == [{"bearer": []}]
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("host", "settings", "status"),
    [
        ("127.0.0.1:9300", {}, 200),
        ("LOCALHOST", {}, 200),
        ("[::1]:80", {}, 200),
        ("evil.example", {}, 421),
        ("evil.example:9300", {}, 421),
        ("127.0.0.1.evil.example", {}, 421),
        ("localhost.", {}, 421),
        ("", {}, 421),
        ("Shop.example:443", {"allowed_hosts": ["shop.example"]}, 200),
        ("evil.example", {"allowed_hosts": ["shop.example"]}, 421),
        ("localhost", {"allowed_hosts": ["shop.example"]}, 200),
    ],
)
def test_on_loopback_it_answers_to_its_own_names(
    tmp_path: Path, host: str, settings: dict[str, object], status: int
) -> None:
    """No page of somebody else gets through a browser that was told that it lives here."""
    world = World(tmp_path, settings)
    with world.serving() as api:
        for path in ("/", "/v1/models", "/openapi.json"):
            reply = api.get(path, Host=host)
            assert reply.status == status
            if status != 200:
                is_problem(reply, 421, "wrong-host")


def test_elsewhere_names_are_looked_at_where_they_are_set() -> None:
    """Its own address is always one of them."""
    anywhere = ServeSection(host="0.0.0.0", allow_open=True)  # noqa: S104
    assert allowed_hosts(anywhere) is None
    some = anywhere.model_copy(update={"allowed_hosts": ("[fe80::1]", "Shop.example")})
    assert allowed_hosts(some) == frozenset({"0.0.0.0", "fe80::1", "shop.example"})  # noqa: S104
    own = frozenset({"::1", "127.0.0.1", "localhost"})
    assert allowed_hosts(ServeSection(host="::1")) == own
    with pytest.raises(ConfigError, match="allowed_hosts"):
        load_config(None, {"serve.allowed_hosts": ["http://shop.example/"]})


@pytest.mark.parametrize("content", ["", "short", "with a blank in the middle of it", "ü" * 20])
def test_a_token_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """Before anything listens."""
    file = tmp_path / "token"
    file.write_text(content)
    world = World(tmp_path / "state", {"token_file": str(file)})
    with pytest.raises(ConfigError, match="holds no token"), world.serving():
        pass


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    """And what is wrong with it."""
    world = World(tmp_path, {"token_file": str(tmp_path / "none")})
    with pytest.raises(ConfigError, match="No such file"), world.serving():
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])  # noqa: S104
def test_others_than_this_machine_need_a_token(host: str, tmp_path: Path) -> None:
    """Unless the operator says that it is meant to be open."""
    with pytest.raises(ConfigError, match=r"serve\.token_file"):
        load_config(None, {"serve.host": host})
    assert load_config(None, {"serve.host": host, "serve.allow_open": True}).serve.host == host
    token = {"serve.host": host, "serve.token_file": str(tmp_path / "token")}
    assert load_config(None, token).serve.host == host


def test_a_client_that_asks_too_often_has_to_wait(tmp_path: Path) -> None:
    """It is told for how long; then it is answered again."""
    world = World(tmp_path, {"requests_per_second": 1.0, "burst_requests": 3})
    world.publish_view()
    with world.serving() as api:
        assert [api.get("/v1/models").status for _ in range(3)] == [200, 200, 200]
        reply = api.get("/v1/models")
        is_problem(reply, 429, KINDS[429])
        assert reply.headers["retry-after"] == "1"
        time.sleep(1.1)
        assert api.get("/v1/models").status == 200
    assert world.value("gsr_serve_requests_total", route="other", code="429") == 1
    assert world.value("gsr_serve_requests_total", route="models", code="200") == 4


@contextmanager
def released(event: threading.Event) -> Iterator[None]:
    """Set an event when the block ends, whatever happens in it."""
    try:
        yield
    finally:
        event.set()


def test_more_than_can_wait_are_told_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who wait are answered, and those who waited for too long get 503 as well."""
    going = threading.Event()
    answer = Answerer.answer

    def slow(self: Answerer, questions: object) -> object:
        going.wait()
        return answer(self, questions)  # type: ignore[arg-type]

    monkeypatch.setattr(Answerer, "answer", slow)
    world = World(tmp_path, {"waiting_requests": 2, "timeout_seconds": 5.0})
    world.publish_view()
    replies: list[Reply] = []
    with world.serving() as api, released(going):
        api.ready()

        def ask() -> None:
            replies.append(api.post("/v1/rank", SESSION))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kinds = [reply.document["type"].rpartition(":")[2] for reply in replies]
        assert {reply.status for reply in replies} == {503}
        assert set(kinds) == {"too-busy", "too-slow"}
        going.set()
        api.until("/v1/users/u1/recommendations", lambda reply: reply.status == 200)
        assert api.post("/v1/rank", SESSION).status == 200


def test_a_defect_is_a_problem_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500, with the reason in the log alone; the next one is answered."""
    world = World(tmp_path)
    world.publish_view()
    with world.serving() as api:
        api.ready()
        with monkeypatch.context() as patch:
            patch.setattr(api.role._board, "status", lambda: 1 / 0)  # noqa: SLF001
            is_problem(api.get("/v1/status"), 500, "defect")
        assert api.get("/v1/status").status == 200
    assert "ZeroDivisionError" in caplog.text
    assert world.value("gsr_serve_requests_total", route="status", code="500") == 1


def test_a_connection_that_sends_nonsense_harms_nobody(api: Api) -> None:
    """Neither half a request nor a binary one."""
    where = api.role.address
    for sent in (b"\x00\xff" * 100, b"GET / HTTP/1.1\r\nHost", b"POST /v1/rank HTTP/1.1\r\n\r\n"):
        with socket.create_connection((where.host, where.port), timeout=10) as connection:
            connection.sendall(sent)
    assert api.get("/v1/models").status == 200


@pytest.fixture
def certificate(tmp_path: Path, program: Callable[[str], str]) -> tuple[Path, Path]:
    """Return a certificate for this machine and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1])]
    kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subprocess.run(
        [program("openssl"), "req", *kind, *subject, *files], check=True, capture_output=True
    )
    return paths


def test_it_speaks_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """With the certificate of the operator."""
    files: dict[str, object] = {
        "tls_certificate_file": str(certificate[0]),
        "tls_key_file": str(certificate[1]),
    }
    world = World(tmp_path / "state", files)
    with world.serving() as api:
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        url = f"https://{api.role.address}/v1/models"
        with urllib.request.urlopen(url, context=trusting, timeout=20) as answer:
            assert answer.status == 200


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    """By name, before anything listens; one without its key already in the settings."""
    (tmp_path / "no.pem").write_text("no certificate")
    wrong = str(tmp_path / "no.pem")
    world = World(tmp_path / "state", {"tls_certificate_file": wrong, "tls_key_file": wrong})
    with pytest.raises(ConfigError, match=r"no\.pem"), world.serving():
        pass
    with pytest.raises(ConfigError, match="belong together"):
        load_config(None, {"serve.tls_key_file": "key.pem"})


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """With what to do; the store is free again."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        world = filled(tmp_path)
        taken = {"serve": {"port": other.getsockname()[1]}}
        world.config = world.config.with_values(taken)
        with pytest.raises(PortBusyError, match=r"--set serve\.port"), world.serving():
            pass
    world.config = world.config.with_values({"serve": {"port": 0}})
    with world.serving() as api:
        assert api.get("/v1/models").status == 200
