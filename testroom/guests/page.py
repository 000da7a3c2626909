"""The page's files and texts, and the headers that go with everything that guests are answered."""

from __future__ import annotations

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from reports.advice import LANGUAGES, Lang

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

PAGE = "/test"
FOLDER = Path(__file__).with_name("web")
TYPES = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
_PLACE = re.compile(r"{{(\w+)}}")

# Nothing but the room's own files; no inline script or style; nobody may frame the page.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@cache
def texts(lang: Lang) -> Mapping[str, str]:
    """The page's own texts by key."""
    return cast("dict[str, str]", json.loads((FOLDER / f"texts.{lang}.json").read_text("utf-8")))


@cache
def files() -> Mapping[str, bytes]:
    """The page's files by name, without the page itself."""
    return {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}


@cache
def page(lang: Lang) -> str:
    """The page with its texts in place, so that it can be read before, and without, any script."""
    known = texts(lang)
    more = {f"current_{each}": 'aria-current="true"' if each == lang else "" for each in LANGUAGES}
    source = (FOLDER / "page.html").read_text("utf-8")

    def put(match: re.Match[str]) -> str:
        key = match[1]
        return lang if key == "lang" else more[key] if key in more else html.escape(known[key])

    return _PLACE.sub(put, source)


def language(asked: str | None, accepted: str) -> Lang:
    """?lang= before Accept-Language (RFC 9110, section 12.5.4); Swedish when neither says one of ours."""
    if asked in LANGUAGES:
        return asked
    best, weight = max(_accepted(accepted), key=lambda pair: pair[1], default=("sv", 0.0))
    return best if weight > 0 else "sv"


def _accepted(header: str) -> list[tuple[Lang, float]]:
    """Our languages with their weights, in the header's order."""
    found: list[tuple[Lang, float]] = []
    for part in header[:500].split(","):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in LANGUAGES:
            found.append((name, _weight(parameter)))
    return found


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return min(1.0, max(0.0, float(value))) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def file_answer(name: str) -> web.Response:
    """One of `files`."""
    from aiohttp import web

    content_type = TYPES[Path(name).suffix]
    charset = None if content_type.startswith("image") else "utf-8"
    return web.Response(body=files()[name], content_type=content_type, charset=charset, headers=HEADERS)
