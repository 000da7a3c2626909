"""The receipt as one HTML document that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from reports.advice import Lang
from reports.receipt.view import Line, View, view
from reports.record import SelfTest

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # a file: whatever it holds, it loads and runs nothing


def render(self_test: SelfTest, lang: Lang, valid_seconds: float) -> str:
    """The document. `valid_seconds`: how long the self-test counts."""
    return _document(view(self_test, lang, valid_seconds))


def _document(v: View) -> str:
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    title = f"{escape(v.title)} {v.reference}"
    return (
        f'<!doctype html>\n<html lang="{v.lang}">\n<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{style}</style></head>\n<body><main>\n<h1>{escape(v.title)}</h1>\n"
        f"{_verdict(v)}\n{_reference(v)}\n{_facts(v.facts)}\n{_lines(v)}\n"
        f'<p class="quiet">{escape(v.texts["receipt.private"])}</p>\n</main></body>\n</html>\n'
    )


def _verdict(v: View) -> str:
    remarks = "".join(f"<p>{escape(said)}</p>" for said in v.remarks)
    return (
        f'<section class="verdict {v.level}" aria-label="{escape(v.texts["receipt.level"])}">'
        f'<p class="level"><span aria-hidden="true">{v.icon}</span> {escape(v.headline)}</p>{remarks}'
        f'<p class="next"><b>{escape(v.texts["table.next"])}</b> {escape(v.action)}</p></section>'
    )


def _reference(v: View) -> str:
    head, help_ = v.texts["receipt.reference"], v.texts["receipt.reference_help"]
    return f'<h2>{escape(head)}</h2><p class="code">{v.reference}</p><p class="quiet">{escape(help_)}</p>'


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(said)}</dd>' for name, said in facts)}</dl>"


def _lines(v: View) -> str:
    if not v.lines:
        return ""
    heads = "".join(
        f'<th scope="col">{escape(v.texts[f"table.{name}"])}</th>' for name in ("what", "value", "limit", "means")
    )
    body = "".join(_line(line) for line in v.lines)
    head = escape(v.texts["receipt.findings"])
    return f"<h2>{head}</h2><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _line(line: Line) -> str:
    sign = f'<span class="sign {line.level}" aria-hidden="true">{line.icon}</span>'
    cells = "".join(f"<td>{escape(said)}</td>" for said in (line.value, line.limit, line.means))
    return f'<tr><th scope="row">{sign} {escape(line.what)}</th>{cells}</tr>'
