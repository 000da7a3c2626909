"""Records from plain JSON values, checked all the way down, fast enough for a collector.

One reader is made per type, once, from the dataclass's own type hints. Messages name the place and what it must be, and
hold nothing that the sender wrote: they go into answers and logs.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, Literal, NoReturn, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from reports.record import Failure, Measurement
from reports.vocabulary import FAILURES, NAMES

T = TypeVar("T")
Reader = Callable[[Any], Any]

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
_WORD = re.compile(r"[a-z0-9_]{1,64}")
_NAMED = {(Measurement, "values"), (Measurement, "unknown")}  # their keys are the vocabulary's names


class RecordError(ValueError):
    """What was read is not a self-test. The message is one line, says where, and quotes nothing of what was read."""


class NewerRecordError(RecordError):
    """It may well be a self-test: of a later program, which uses a word that is not known here."""


class _UnfitError(Exception):
    """`said`: what is wrong; `places`: the way to it, innermost first; `newer`: a later program might say that."""

    def __init__(self, said: str, *, newer: bool = False) -> None:
        super().__init__(said)
        self.said, self.newer = said, newer
        self.places: list[str] = []


def read(kind: type[T], data: object, where: str) -> T:
    """`data` as a `kind`. `where` names the whole in messages. Keys that `kind` does not know are left out.

    Raises RecordError, and NewerRecordError when the first thing wrong is a word that a closed list does not hold.
    """
    try:
        made: T = _record(cast("Hashable", kind))(data)
    except _UnfitError as unfit:
        kind_of = NewerRecordError if unfit.newer else RecordError
        raise kind_of(f"{where}{''.join(reversed(unfit.places))} {unfit.said}") from None
    return made


def _refuse(wanted: str, data: object) -> NoReturn:
    raise _UnfitError(f"must be {wanted}, not {_KINDS.get(type(data), 'nothing')}")


@cache
def _record(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    plan = tuple((f.name, _member(kind, f.name, hints[f.name]), _required(f)) for f in fields(kind))

    def read_record(data: Any) -> Any:
        if type(data) is not dict:
            _refuse("an object", data)
        made, name = {}, ""
        try:
            for name, reader, required in plan:
                if name in data:
                    made[name] = reader(data[name])
                elif required:
                    raise _lacking(plan, data)
        except _UnfitError as unfit:
            if name in data:
                unfit.places.append(f".{name}")
            raise
        return kind(**made)

    return read_record


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _lacking(plan: Iterable[tuple[str, Reader, bool]], data: Mapping[str, Any]) -> _UnfitError:
    return _UnfitError(f"lacks {', '.join(name for name, _, required in plan if required and name not in data)}")


def _member(kind: type, name: str, hint: Any) -> Reader:
    if (kind, name) in _NAMED:
        return _named(_reader(get_args(hint)[1]))
    if (kind, name) == (Failure, "code"):
        return _one_of(tuple(FAILURES), "one of the vocabulary's failures")
    return _reader(hint)


def _reader(hint: Any) -> Reader:
    origin, args = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    if origin is Literal:
        return _one_of(args, f"one of {', '.join(map(str, args))}")
    if origin is tuple:
        return _list(_reader(args[0]))
    if origin is Mapping:
        return _object(_reader(args[1]))
    if origin in (Union, types.UnionType):
        return _union(args)
    return _PLAIN[hint]


def _text(data: Any) -> str:
    """No database keeps a NUL or half a surrogate pair in its texts."""
    if type(data) is not str:
        _refuse("text", data)
    if not data.isascii():
        try:
            data.encode()
        except UnicodeEncodeError:
            raise _UnfitError("must be text of whole characters") from None
    if "\0" in data:
        raise _UnfitError("must be text without NUL")
    return data


def _number(data: Any) -> float:
    if type(data) is float:
        if not isfinite(data):
            raise _UnfitError("must be a finite number")
        return data
    if type(data) is not int:
        _refuse("a number", data)
    try:
        return float(data)
    except OverflowError:
        raise _UnfitError("must be a finite number") from None


def _whole(data: Any) -> int:
    if type(data) is not int:
        _refuse("a whole number", data)
    return data


def _truth(data: Any) -> bool:
    if type(data) is not bool:
        _refuse("true or false", data)
    return data


_PLAIN: dict[Any, Reader] = {str: _text, float: _number, int: _whole, bool: _truth}


def _one_of(choices: tuple[str, ...], wanted: str) -> Reader:
    known = frozenset(choices)

    def read_choice(data: Any) -> Any:
        if type(data) is not str or data not in known:
            raise _UnfitError(f"must be {wanted}", newer=type(data) is str and bool(_WORD.fullmatch(data)))
        return data

    return read_choice


def _list(reader: Reader) -> Reader:
    def read_list(data: Any) -> tuple[Any, ...]:
        if type(data) is not list:
            _refuse("a list", data)
        made: list[Any] = []
        try:
            for item in data:
                made.append(reader(item))
        except _UnfitError as unfit:
            unfit.places.append(f"[{len(made)}]")
            raise
        return tuple(made)

    return read_list


def _object(reader: Reader) -> Reader:
    """Its keys are the sender's own words: messages count them."""

    def read_object(data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            _refuse("an object", data)
        made: dict[str, Any] = {}
        try:
            for key, value in data.items():
                made[_text(key)] = reader(value)
        except _UnfitError as unfit:
            unfit.places.append(f"[{len(made)}]")
            raise
        return made

    return read_object


def _named(reader: Reader) -> Reader:
    def read_named(data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            _refuse("an object", data)
        if not data.keys() <= NAMES:
            raise _UnfitError("must hold none but the vocabulary's names")
        made, name = {}, ""
        try:
            for name, value in data.items():
                made[name] = reader(value)
        except _UnfitError as unfit:
            unfit.places.append(f".{name}")
            raise
        return made

    return read_named


def _union(args: tuple[Any, ...]) -> Reader:
    """By the JSON type of what is there. A whole number is a number where whole numbers are not asked for."""
    optional = types.NoneType in args
    kinds = {_json_type(arg): _reader(arg) for arg in args if arg is not types.NoneType}
    wanted = " or ".join(
        dict.fromkeys("a whole number" if k is int and float not in kinds else _KINDS[k] for k in kinds)
    )
    if float in kinds:
        kinds.setdefault(int, kinds[float])

    def read_union(data: Any) -> Any:
        if data is None and optional:
            return None
        reader = kinds.get(type(data))
        if reader is None:
            _refuse(wanted, data)
        return reader(data)

    return read_union


def _json_type(hint: Any) -> type:
    origin = get_origin(hint)
    if origin is tuple:
        return list
    if origin is Literal:
        return str
    return dict if is_dataclass(hint) or origin is Mapping else hint
