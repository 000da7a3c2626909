"""Self-tests of an agent that is newer than this program: what is not known here yet is left out, the rest is read.

What may be left out is a quantity's name or a failure's code. Another schema, or another word of a closed list, changes
what the rest means: such a self-test has to wait until this program is newer too (NewerRecordError).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from reports.reading import NewerRecordError
from reports.serial import SCHEMA_NAME
from reports.vocabulary import FAILURES, NAMES

LEFT_OUT = ("value", "failure")  # what is counted
FACT = "failure_code"  # where a code that is not known here is kept, as a fact
_WORD = re.compile(r"[a-z0-9_]{1,64}")
_SCHEMA, _, _VERSION = SCHEMA_NAME.partition("/")
_NUMBER = re.compile(r"[0-9]{1,4}")


def leave_out(document: object) -> Counter[str]:
    """Take what is not known here out of a self-test's JSON, in place; how much, by LEFT_OUT.

    What does not look like a name stays, for the reader to refuse. Raises NewerRecordError for a later schema.
    """
    left: Counter[str] = Counter()
    if not isinstance(document, dict):
        return left
    _check_schema(document.get("schema"))
    for measurement in _tables(document.get("measurements")):
        for part in ("values", "unknown"):
            left["value"] += _without_names(measurement.get(part))
        left["failure"] += _without_code(measurement)
    return +left


def _check_schema(named: object) -> None:
    name, _, version = named.partition("/") if isinstance(named, str) else ("", "", "")
    if name == _SCHEMA and _NUMBER.fullmatch(version) and int(version) > int(_VERSION):
        raise NewerRecordError("selftest.schema is later than this program knows")


def _tables(data: object) -> Iterator[dict[str, Any]]:
    yield from (each for each in data if isinstance(each, dict)) if isinstance(data, list) else ()


def _without_names(table: object) -> int:
    if not isinstance(table, dict) or table.keys() <= NAMES:
        return 0
    unknown = [name for name in table.keys() - NAMES if _WORD.fullmatch(name)]
    for name in unknown:
        del table[name]
    return len(unknown)


def _without_code(measurement: dict[str, Any]) -> int:
    """The failure's code becomes a fact, so that it can be seen that there was one."""
    failure = measurement.get("failure")
    code = failure.get("code") if isinstance(failure, dict) else None
    if not isinstance(code, str) or code in FAILURES or not _WORD.fullmatch(code):
        return 0
    facts = measurement.get("facts", {})
    if not isinstance(facts, dict):
        return 0
    measurement["failure"], measurement["facts"] = None, {FACT: code, **facts}
    return 1
