"""What the page's server answers with, whatever it is asked: headers, JSON, and the page for those without a key."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reports.advice import Lang, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

FOLDER = Path(__file__).with_name("web")
TYPES = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
POLICY = "Content-Security-Policy"
_STYLE = (
    ":root{color-scheme:light dark}body{font:1.25rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;"
    "padding:0 1.25rem}h1{font-size:1.75rem;line-height:1.25}code{font-size:1.1em}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def head(response: web.StreamResponse, port: int) -> None:
    """Give it the headers; a policy of its own, which allows less, stays."""
    own = response.headers.get(POLICY)
    response.headers.update(headers(port))
    if own is not None:
        response.headers[POLICY] = own


def headers(port: int) -> Mapping[str, str]:
    """With everything. Nothing but the server's own files and no inline script; nobody may frame, embed or keep it."""
    return {
        POLICY: (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
            f"connect-src 'self' ws://127.0.0.1:{port}; "  # 'self' is not a WebSocket's to every browser
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Server": "motesklar",
    }


@cache
def files() -> Mapping[str, bytes]:
    """The page's files by name, without the page itself."""
    return {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}


def file(name: str) -> web.Response:
    """One of `files`."""
    from aiohttp import web

    content_type = TYPES[Path(name).suffix]
    charset = None if content_type.startswith("image") else "utf-8"
    return web.Response(body=files()[name], content_type=content_type, charset=charset)


def page() -> web.Response:
    """The page itself. It is the same in every language; its script has the words."""
    from aiohttp import web

    return web.Response(body=_page(), content_type="text/html", charset="utf-8")


@cache
def _page() -> bytes:
    return (FOLDER / "page.html").read_bytes()


def code(status: int, word: str) -> web.Response:
    """A refusal, for the page's script."""
    from aiohttp import web

    return web.Response(status=status, text=json.dumps({"code": word}), content_type="application/json")


def start_again(status: int, lang: Lang) -> web.Response:
    """A page for a person who has no key: how to start again."""
    return _plain(status, lang, "again", "motesklar ui")


def trouble(line: str, lang: Lang) -> web.Response:
    """A page for a person whose program cannot start: why, for IT support."""
    return _plain(200, lang, "trouble", line)


def _plain(status: int, lang: Lang, head: str, line: str) -> web.Response:
    """Without script, and with all that it needs."""
    from aiohttp import web

    title, sentence, shown = map(html.escape, (text(f"ui.{head}_title", lang), text(f"ui.{head}_text", lang), line))
    body = (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><main><h1>{title}</h1><p>{sentence}</p><p><code>{shown}</code></p></main></html>"
    )
    policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
    answer = web.Response(status=status, text=body, content_type="text/html")
    answer.headers[POLICY] = policy
    return answer
