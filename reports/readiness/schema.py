"""The JSON Schema (2020-12) of the readiness table, made from its dataclasses.

`python -m reports.readiness.schema` prints it; readiness.schema.json is the committed copy and a test holds them equal.
"""

from __future__ import annotations

import json

from reports.readiness.serial import SCHEMA_NAME
from reports.readiness.shapes import STANDINGS, Fix, Report, Row
from reports.record import Finding
from reports.schema import TEXT, Json, record_schema

_COUNTS: Json = {
    "machines": {"type": "integer"},
    "soon": {"type": "integer"},
    "standings": {
        "type": "object",
        "properties": {standing: {"type": "integer"} for standing in STANDINGS},
        "required": list(STANDINGS),
        "additionalProperties": False,
    },
}
# what stands beside the fields: words for readers, and sums
_MORE: dict[type, Json] = {Finding: {"text": TEXT}, Fix: {"text": TEXT}, Row: {"standing_text": TEXT}}


def schema() -> Json:
    """The whole schema."""
    defs: Json = {}
    whole = record_schema(Report, defs, _MORE)
    owner = {"$ref": "#/$defs/Fix/properties/owner"}
    work = {"owner": owner, "advice": {"type": "string"}, "machines": {"type": "integer"}, "text": TEXT}
    derived = {
        "totals": _closed(_COUNTS),
        "units": {"type": "array", "items": _closed({"unit": {"type": "string"}} | _COUNTS)},
        "work": {"type": "array", "items": _closed(work)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_NAME,
        "description": "An organisation's machines and how ready they are. Times are seconds since 1970-01-01 UTC.",
        **_closed({"schema": {"const": SCHEMA_NAME}} | derived | whole["properties"]),
        "$defs": defs,
    }


def _closed(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def as_text() -> str:
    """The committed file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
