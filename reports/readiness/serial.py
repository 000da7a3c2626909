"""The readiness table as JSON, motesklar.readiness/1, and back. `schema.py` makes its schema, readiness.schema.json."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

from reports.advice import LANGUAGES
from reports.advice.words import finding_text
from reports.readiness.rows import total, totals, work
from reports.readiness.shapes import STANDINGS, Fix, Report, Row, Total, Work
from reports.readiness.words import advice_text, standing_text
from reports.reading import RecordError, read

SCHEMA_NAME = "motesklar.readiness/1"
Json = dict[str, Any]


def to_json(report: Report) -> Json:
    """Plain JSON values. What is derived (totals, units, work, texts) is there for readers and not read back."""
    plain = {f.name: getattr(report, f.name) for f in fields(report)}
    plain["machines"] = [_row(row) for row in report.machines]
    derived = {
        "totals": _total(total("", report.machines)),
        "units": [{"unit": each.unit} | _total(each) for each in totals(report.machines)],
        "work": [_work(each) for each in work(report.machines)],
    }
    return {"schema": SCHEMA_NAME} | derived | plain


def from_json(document: object) -> Report:
    """The table again, checked all the way down. Raises RecordError, one line that quotes nothing of it."""
    named = document.get("schema") if isinstance(document, dict) else None
    if named != SCHEMA_NAME:
        raise RecordError(f"this is not a readiness table: its schema is not {SCHEMA_NAME!r}")
    return read(Report, document, "readiness")


def as_bytes(report: Report) -> bytes:
    """The file."""
    return (json.dumps(to_json(report), ensure_ascii=False, allow_nan=False) + "\n").encode()


def _row(row: Row) -> Json:
    plain = {f.name: getattr(row, f.name) for f in fields(row)}
    texts = {"standing_text": {lang: standing_text(row.standing, lang) for lang in LANGUAGES}}
    return plain | {"requirements": dict(row.requirements), "fixes": [_fix(fix) for fix in row.fixes]} | texts


def _fix(fix: Fix) -> Json:
    findings = [
        asdict(replace(f, params=dict(f.params))) | {"text": {lang: finding_text(f, lang) for lang in LANGUAGES}}
        for f in fix.findings
    ]
    texts = {lang: advice_text(fix.advice, fix.params, lang) for lang in LANGUAGES}
    return {"owner": fix.owner, "advice": fix.advice, "params": dict(fix.params), "findings": findings, "text": texts}


def _total(each: Total) -> Json:
    return {"machines": each.machines, "soon": each.soon, "standings": {s: each.standings[s] for s in STANDINGS}}


def _work(each: Work) -> Json:
    return asdict(each) | {"text": {lang: advice_text(each.advice, {}, lang) for lang in LANGUAGES}}
