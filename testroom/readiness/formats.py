"""In which format the table is asked for, and the answer that is made of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from reports.advice import LANGUAGES, Lang, text
from reports.readiness import csv, html, pdf, serial
from reports.readiness.shapes import Report
from reports.times import day
from testroom.it.page import HEADERS, LANGUAGE_NAMES
from testroom.it.session import spoken

if TYPE_CHECKING:
    from aiohttp import web

    from testroom.it.session import Login

FORMATS = {"html": "text/html", "json": "application/json", "csv": "text/csv", "pdf": "application/pdf"}
NAMES = {"pdf": "PDF", "csv": "CSV (Excel)", "json": "JSON"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """`format`: one of FORMATS, or what was asked for in their place."""

    format: str
    lang: Lang


@dataclass(frozen=True, slots=True)
class Made:
    """The answer's octets and what they are."""

    body: bytes
    format: str
    lang: Lang
    name: str

    def response(self) -> web.Response:
        """For the browser: the page is shown, the rest is saved."""
        from aiohttp import web

        headers = {**HEADERS, "Content-Language": self.lang, "Vary": "Accept, Accept-Language, Authorization, Cookie"}
        if self.format == "html":
            headers["Content-Security-Policy"] = policy()
        else:
            headers["Content-Disposition"] = f'attachment; filename="{self.name}.{self.format}"'
        charset = None if self.format == "pdf" else "utf-8"
        return web.Response(body=self.body, content_type=FORMATS[self.format], charset=charset, headers=headers)


@cache
def policy() -> str:
    """Nothing is loaded and no script runs; the one style is known by its hash (CSP3, section 6.7.3.3)."""
    digest = base64.b64encode(hashlib.sha256(html.style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def wanted(request: web.Request, usual: str, login: Login | None) -> Wanted:
    """?format= before Accept before the usual one; the language as on the other pages."""
    format_ = request.query.get("format") or _accepted(request.headers.get("Accept", ""), usual)
    return Wanted(format_, spoken(request, login))


def _accepted(header: str, usual: str) -> str:
    """The format of ours that is wanted most (RFC 9110, section 12.5.1); the usual one when none is named."""
    known = {kind: name for name, kind in FORMATS.items()}
    weighed = [(weight, known[kind]) for kind, weight in _kinds(header) if kind in known and weight > 0]
    best = max((weight for weight, _ in weighed), default=0.0)
    first = [name for weight, name in weighed if weight == best]
    return usual if usual in first or not first else first[0]


def _kinds(header: str) -> Iterator[tuple[str, float]]:
    for part in header[:500].split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
        try:
            yield kind, float(weights[0]) if weights else 1.0
        except ValueError:
            yield kind, 0.0


def make(report: Report, asked: Wanted, units: Sequence[str] | None) -> Made:
    """`units`: the page's ways to each; None: a document without ways."""
    lang = asked.lang
    if asked.format == "html":
        body = html.render(report, lang, None if units is None else ways(report, lang, units)).encode()
    elif asked.format == "json":
        body = serial.as_bytes(report)
    else:
        body = csv.render(report, lang) if asked.format == "csv" else pdf.render(report, lang)
    return Made(body, asked.format, lang, f"motesklar-{'redo' if lang == 'sv' else 'readiness'}-{day(report.made_at)}")


def ways(report: Report, lang: Lang, units: Sequence[str]) -> html.Ways:
    """The page's links: back, to other languages, to files, to each unit."""
    kept = {} if report.unit is None else {"unit": report.unit}
    here = _address(lang=lang, **kept)
    back = [("/it", text("readiness.to_it", lang))]
    if report.unit is not None:
        back.append((_address(lang=lang), text("readiness.show_all", lang)))
    languages = tuple((_address(lang=each, **kept), LANGUAGE_NAMES[each]) for each in LANGUAGES)
    files = tuple((_address(lang=lang, **kept, format=name), said) for name, said in NAMES.items())
    groups = (
        (text("readiness.pages", lang), tuple(back)),
        (text("readiness.languages", lang), languages),
        (text("readiness.download", lang), files),
    )
    return html.Ways(groups, frozenset({here}), {unit: _address(lang=lang, unit=unit) for unit in units})


def _address(**query: str) -> str:
    return f"/readiness?{urlencode(query)}"
