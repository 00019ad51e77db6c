"""The files of the page: types, caching, and headers that let nothing else in."""

import gzip
import re
from pathlib import Path

import pytest

from consumers.roles import serve
from consumers.roles.serve.page_routes import page_files
from tests.consumers.serve_world import Api

PAGE = Path(serve.__file__).parent / "page"
MOST_BYTES = 40_000
"""What a browser loads for the page, compressed."""


def test_the_page_is_at_the_root(api: Api) -> None:
    """As HTML that allows nothing from elsewhere and nothing in line."""
    reply = api.get("/")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.body == (PAGE / "index.html").read_bytes()
    policy = reply.headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in rule for rule in policy)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("name", sorted(page_files()))
def test_every_file_is_served(api: Api, name: str) -> None:
    """With its type, compressed where that is understood, and once as long as it is the same."""
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg"}
    plain = api.get(f"/page/{name}")
    assert plain.headers["content-type"].startswith(types[name.rpartition(".")[2]])
    assert plain.body == (PAGE / name).read_bytes()
    zipped = api.get(f"/page/{name}", Accept_Encoding="gzip, br")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["etag"] != plain.headers["etag"]
    for reply, asked in ((plain, {}), (zipped, {"Accept_Encoding": "gzip"})):
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["vary"] == "Accept-Encoding"
        tag = reply.headers["etag"]
        again = api.get(f"/page/{name}", If_None_Match=tag, **asked)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert api.get(f"/page/{name}", If_None_Match='"another"', **asked).status == 200


def test_its_head_can_be_asked_for(api: Api) -> None:
    """Without a body."""
    reply = api.ask("HEAD", "/", None, {})
    assert (reply.status, reply.body) == (200, b"")


def test_the_page_is_small() -> None:
    """All of it together."""
    assert 0 < sum(len(file.compressed) for file in page_files().values()) < MOST_BYTES


def test_nothing_in_it_names_another_host() -> None:
    """Names of XML are none."""
    for name, file in page_files().items():
        text = file.plain.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|[\"'(]//", text), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|style=", text), name


def test_every_module_that_is_imported_is_there() -> None:
    """And every file is used by another one."""
    named = set()
    for file in page_files().values():
        text = file.plain.decode()
        named |= set(re.findall(r"from \"\./([\w.]+)\"|import\(\"\./([\w.]+)\"\)", text))
        named |= {(name, "") for name in re.findall(r"/page/([\w.]+)", text)}
    names = {one or other for one, other in named}
    assert names == page_files().keys() - {"index.html"}
