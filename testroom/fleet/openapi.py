"""The collector's requests in OpenAPI 3.1; the self-test is that of reports/selftest.schema.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from reports.collector import REFUSALS
from reports.identity import MACHINE_HEADER, PSEUDONYM, RUN_ID
from reports.schema import schema

Json = dict[str, Any]
_RUN_ID = {"type": "string", "pattern": f"^{RUN_ID.pattern}$"}
COUNT: Json = {"type": "integer", "minimum": 0}
CSV: Json = {"text/csv": {"schema": {"type": "string"}}}
_WORD = {"pattern": "^[a-z0-9_.]{1,64}$"}
# what the collector wants beyond the schema, because it becomes a column
_TIGHTER: Json = {
    "SelfTest.run_id": _RUN_ID,
    "SelfTest.duration_s": {"minimum": 0},
    "AgentInfo.version": {"pattern": "^[ -~]{0,40}$"},
    "Verdict.action": {"pattern": "^[a-z0-9_.]{0,64}$"},
    "Finding.rule": _WORD,
}


@cache
def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "The test room's collector of self-tests", "version": "1"},
        "paths": {
            "/v1/self-tests": {"post": _post()},
            "/v1/self-tests/{run_id}": {"get": _get()},
            "/v1/machines": {"get": _machines(), "put": _names()},
        },
        "components": {
            "securitySchemes": {"organisation": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
        "security": [{"organisation": []}],
    }


def _post() -> Json:
    machine = {
        "name": MACHINE_HEADER,
        "in": "header",
        "required": False,
        "description": "the machine's own pseudonym: 128 random bits",
        "schema": {"type": "string", "pattern": f"^{PSEUDONYM.pattern}$"},
    }
    return {
        "summary": "hand in a self-test; the same run may be handed in again",
        "parameters": [machine],
        "requestBody": {"required": True, "content": _json("SelfTest")},
        "responses": {
            "201": _answer("kept", "Receipt"),
            "200": _answer("known already", "Receipt"),
            **_refusals(400, 401, 403, 408, 413, 415, 422, 429, 503),
        },
    }


def _get() -> Json:
    run_id = {"name": "run_id", "in": "path", "required": True, "schema": _RUN_ID}
    return {
        "summary": "one self-test of the organisation",
        "parameters": [run_id],
        "responses": {"200": _answer("the self-test", "SelfTest"), **_refusals(401, 403, 404, 429, 503)},
    }


def _machines() -> Json:
    return {
        "summary": "the organisation's machines",
        "responses": {"200": {"description": "one line for each", "content": CSV}, **_refusals(401, 403, 429, 503)},
    }


def _names() -> Json:
    return {
        "summary": "the organisation's own names for its machines",
        "requestBody": {"required": True, "content": CSV},
        "responses": {"200": _answer("the names are given", "Named"), **_refusals(400, 401, 403, 408, 413, 429, 503)},
    }


def _refusals(*statuses: int) -> Json:
    return {str(status): _answer("refused", "Refused") for status in statuses}


def _answer(description: str, name: str) -> Json:
    return {"description": description, "content": _json(name)}


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _schemas() -> Json:
    """The self-test's definitions, at the place where OpenAPI looks for them."""
    text = json.dumps(schema()).replace('"#/$defs/', '"#/components/schemas/')
    whole: Json = json.loads(text)
    parts: Json = whole.pop("$defs")
    whole.pop("$schema")
    for place, more in _TIGHTER.items():
        part, _, name = place.partition(".")
        ({"SelfTest": whole} | parts)[part]["properties"][name] |= more
    outcome = {"enum": ["stored", "known"]}
    codes = [*REFUSALS, "self_test_unknown", "names_malformed", "room_token_refused", "room_too_many_requests"]
    return parts | {
        "SelfTest": whole,
        "Receipt": _object({"run_id": _RUN_ID, "outcome": outcome}, ["run_id", "outcome"]),
        "Named": _object({"known": COUNT, "new": COUNT}, ["known", "new"]),
        "Refused": _object({"code": {"enum": codes}, "where": {"type": "string"}}, ["code"]),
    }


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}
