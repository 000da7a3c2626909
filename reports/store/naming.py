"""The organisation's own names of its machines, from a CSV that it keeps.

The first line names the columns: `machine` (its pseudonym, 32 hexadecimal digits), and any of `name`, `unit`, `room`;
separated by `;` or `,`; UTF-8, with or without a byte order mark. A column that is missing leaves what was there; an
empty field clears it. A machine that is not in the file keeps its names.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from sqlalchemy import Connection, select

from reports.identity import PSEUDONYM
from reports.store.shapes import LONGEST_NAME, Named, NamesError
from reports.store.tables import machines
from reports.store.writing import insert_into

MOST_MACHINES = 100_000
_NAMES = ("name", "unit", "room")
_IGNORED = ("last_seen",)  # stands in the CSV that the room gives


def read_names(text: str) -> list[dict[str, str]]:
    """The lines as {"pseudonym", …}. Raises NamesError."""
    text = text.removeprefix("\ufeff")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NamesError(f"this is not CSV: {error}") from None
    head = [name.strip().lower() for name in lines[0]] if lines else []
    if "machine" not in head or set(head) - {"machine", *_NAMES, *_IGNORED} or len(set(head)) < len(head):
        raise NamesError("the first line must name the columns: machine, and any of name, unit, room")
    if len(lines) > MOST_MACHINES:
        raise NamesError(f"more than {MOST_MACHINES} lines")
    found = [_line(dict(zip(head, line, strict=False)), head, i) for i, line in enumerate(lines[1:], 2) if any(line)]
    if len({line["pseudonym"] for line in found}) < len(found):
        raise NamesError("the same machine stands on two lines")
    return sorted(found, key=lambda line: line["pseudonym"])  # one order everywhere: see writing.put


def _line(fields: dict[str, str], head: list[str], number: int) -> dict[str, str]:
    if len(fields) < len(head):
        raise NamesError(f"line {number} has fewer fields than the first line")
    fields = {key: value.strip() for key, value in fields.items() if key not in _IGNORED}
    pseudonym = fields.pop("machine").lower()
    if not PSEUDONYM.fullmatch(pseudonym):
        raise NamesError(f"line {number}: the machine must be 32 hexadecimal digits")
    for key, value in fields.items():
        if len(value) > LONGEST_NAME or not value.isprintable():
            raise NamesError(f"line {number}: {key} must be at most {LONGEST_NAME} printable characters")
    return {"pseudonym": pseudonym} | fields


def put_names(connection: Connection, organisation: str, lines: list[dict[str, str]]) -> Named:
    """Give the names; a machine not heard of yet is written down, so that it is missed when it stays silent."""
    if not lines:
        return Named(0, 0)
    question = select(machines.c.pseudonym).where(machines.c.organisation == organisation)
    before = set(connection.execute(question).scalars())
    insert = insert_into(connection, machines)
    given = [key for key in lines[0] if key != "pseudonym"]
    keys = ["organisation", "pseudonym"]
    statement: Any = (
        insert.on_conflict_do_update(index_elements=keys, set_={key: insert.excluded[key] for key in given})
        if given
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, [line | {"organisation": organisation} for line in lines])
    known = sum(line["pseudonym"] in before for line in lines)
    return Named(known, len(lines) - known)
