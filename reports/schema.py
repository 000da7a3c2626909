"""The JSON Schema (2020-12) of a self-test, made from the record's dataclasses and the vocabulary.

`python -m reports.schema` prints it; reports/selftest.schema.json is the committed copy and a test holds them equal.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from reports.advice import LANGUAGES
from reports.record import Failure, Finding, Measurement, SelfTest, Verdict
from reports.serial import ORDER, SCHEMA_NAME
from reports.vocabulary import FAILURES, NAMES

Json = dict[str, Any]

_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    float: {"type": "number"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}
TEXT: Json = {
    "type": "object",
    "properties": {lang: {"type": "string"} for lang in LANGUAGES},
    "required": list(LANGUAGES),
    "additionalProperties": False,
}
_SENTENCES: dict[type, Json] = {Finding: {"text": TEXT}, Verdict: {"headline": TEXT, "action_text": TEXT}}
_NAMES: Json = {"propertyNames": {"$ref": "#/$defs/ValueName"}}
_CLOSED: dict[tuple[type, str], Json] = {
    (Measurement, "values"): _NAMES,
    (Measurement, "unknown"): _NAMES,
    (Failure, "code"): {"enum": sorted(FAILURES)},
}


def schema() -> Json:
    """The whole schema; the names of values and the codes of failures are closed sets."""
    defs: Json = {"ValueName": {"enum": sorted(NAMES)}}
    whole = record_schema(SelfTest, defs, _SENTENCES)
    properties = {"schema": {"const": SCHEMA_NAME}} | {key: whole["properties"][key] for key in ORDER}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_NAME,
        "description": "One self-test of Mötesklar. SI base units: seconds, bytes, bytes per second, ratios 0-1.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": defs,
    }


def record_schema(kind: type, defs: Json, more: Mapping[type, Json]) -> Json:
    """Of one dataclass; those that it holds go into `defs`. `more`: properties that stand beside a class's fields."""
    hints = get_type_hints(kind)
    properties = {
        f.name: _type(hints[f.name], defs, more) | _CLOSED.get((kind, f.name), {}) for f in fields(kind)
    } | more.get(kind, {})
    described = {"description": " ".join((kind.__doc__ or "").split("\n\n")[0].split())}
    return described | {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _type(kind: Any, defs: Json, more: Mapping[type, Json]) -> Json:
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in defs:
            defs[kind.__name__] = record_schema(kind, defs, more)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_type(arg, defs, more) for arg in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], defs, more)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _type(args[1], defs, more)}
    return dict(_PLAIN[kind])


def as_text() -> str:
    """The committed file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(as_text(), end="")
