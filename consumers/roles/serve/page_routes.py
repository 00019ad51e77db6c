"""The page to look at: the files of the package, with headers that let nothing else in."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from xxhash import xxh3_64_hexdigest

from consumers.roles.serve.responses import matches

PACKAGE: Final = "consumers.roles.serve.page"
INDEX: Final = "index.html"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final[Mapping[str, str]] = {
    # Everything from this server and nothing in line; no text ever becomes markup or a script.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Files have no version in their names: whoever has one asks whether it is still the same.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, plain and compressed.

    Parameters
    ----------
    media_type, digest
        What it is, and what its tag is made from.
    plain, compressed
        Its bytes.
    """

    media_type: str
    digest: str
    plain: bytes
    compressed: bytes

    def answer(self, request: Request) -> Response:
        """Return the file, or 304 where the caller has it."""
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        tag = f'"{self.digest}-gzip"' if zipped else f'"{self.digest}"'
        headers = {**HEADERS, "ETag": tag}
        named = request.headers.get("if-none-match")
        if named is not None and matches(tag, named):
            return Response(status_code=304, headers=headers)
        if zipped:
            headers["Content-Encoding"] = "gzip"
        body = self.compressed if zipped else self.plain
        return Response(body, headers=headers, media_type=self.media_type)


def page_files() -> dict[str, PageFile]:
    """Return the files of the page by name."""
    found = {}
    for entry in files(PACKAGE).iterdir():
        media_type = MEDIA_TYPES.get("." + entry.name.rpartition(".")[2])
        if media_type is not None:
            plain = entry.read_bytes()
            compressed = gzip.compress(plain, mtime=0)
            found[entry.name] = PageFile(media_type, xxh3_64_hexdigest(plain), plain, compressed)
    return found


def page_routes() -> APIRouter:
    """Return the routes of the page; they ask for no token, as they tell nothing."""
    router = APIRouter()
    known = page_files()

    @router.api_route("/", methods=["GET", "HEAD"], name="page", include_in_schema=False)
    async def index(request: Request) -> Response:
        return known[INDEX].answer(request)

    @router.api_route("/page/{name}", methods=["GET", "HEAD"], name="page", include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        if name not in known:
            raise HTTPException(404)
        return known[name].answer(request)

    return router
