"""The document motesklar.readiness/1: whole, true to its schema, and readable again."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reports.advice import LANGUAGES
from reports.readiness import shapes
from reports.readiness.schema import as_text, schema
from reports.readiness.serial import SCHEMA_NAME, as_bytes, from_json, to_json
from reports.serial import RecordError
from tests.reports.readiness.made import a_report


def test_there_and_back() -> None:
    report = a_report()
    assert from_json(json.loads(as_bytes(report))) == report


def test_what_a_reader_finds() -> None:
    document = to_json(a_report())
    assert next(iter(document)) == "schema"
    assert (document["schema"], document["organisation"], document["unit"]) == (SCHEMA_NAME, "Håbo kommun", None)
    assert document["totals"]["machines"] == 6
    assert [unit["unit"] for unit in document["units"]] == ["Norr", "Söder & Öst", ""]
    bad = document["machines"][1]
    assert bad["requirements"]["network"] == "not_ready"
    assert bad["fixes"][0]["findings"][0]["value"] == 0.2
    assert set(bad["fixes"][0]["text"]) == set(bad["standing_text"]) == set(LANGUAGES)


COMMITTED = Path(shapes.__file__).with_name("readiness.schema.json")
WRONG = [
    ([], "is not a readiness table"),
    ({"schema": "motesklar.selftest/1"}, "is not a readiness table"),
    ({"schema": SCHEMA_NAME}, "readiness lacks organisation, unit"),
    ({**to_json(a_report()), "machines": [{"machine": "a"}]}, r"readiness.machines\[0\] lacks name"),
    ({**to_json(a_report()), "made_at": float("nan")}, "made_at must be a finite number"),
]


@pytest.mark.parametrize(("document", "said"), WRONG)
def test_what_is_no_table_is_refused_in_a_line(document: object, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        from_json(document)


def test_true_to_the_committed_schema() -> None:
    assert COMMITTED.read_text("utf-8") == as_text(), "python -m reports.readiness.schema"
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(json.loads(as_bytes(a_report())))
