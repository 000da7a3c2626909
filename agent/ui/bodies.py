"""What the page may ask the program to do: strictly read. Anything else is refused, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

from agent.ui.state import ANSWERS, STEPS
from reports.record import DEVICE_KINDS

MOST_BYTES = 1024
_MOST_NUMBER = 10**9
_COMPANY = ("alone", "several")
_ANSWERS = frozenset(answer for answers in ANSWERS.values() for answer in answers)

Body = Mapping[str, Any]


class BodyError(ValueError):
    """It is not one of ours."""


def _company(value: object) -> bool:
    return value in _COMPANY


def _number(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_NUMBER


def _answer(value: object) -> bool:
    return isinstance(value, str) and value in _ANSWERS


def _kind(value: object) -> bool:
    return isinstance(value, str) and value in DEVICE_KINDS


def _steps(value: object) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= len(STEPS):
        return False
    return all(isinstance(name, str) and name in STEPS for name in value) and len(set(value)) == len(value)


SHAPES: Mapping[str, Mapping[str, Callable[[object], bool]]] = {
    "start": {"company": _company},
    "stop": {},
    "answer": {"question": _number, "answer": _answer},
    "choose": {"kind": _kind, "number": _number},
    "redo": {"steps": _steps},
    "compare": {},
}


def read(name: str, raw: bytes) -> Body:
    """The body of POST /v1/NAME: every key of its shape and no other. Raises BodyError."""
    shape = SHAPES[name]
    if len(raw) > MOST_BYTES:
        raise BodyError("size")
    try:
        found = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise BodyError("json") from None
    if not isinstance(found, dict) or found.keys() != shape.keys():
        raise BodyError("keys")
    if not all(fits(found[key]) for key, fits in shape.items()):
        raise BodyError("values")
    return cast("Body", found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that stands there twice means two things to two readers (RFC 8259, 4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyError("twice")
    return found


def _constant(_: str) -> NoReturn:
    raise BodyError("NaN")
