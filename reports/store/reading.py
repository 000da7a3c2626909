"""Questions to the store. Each names its organisation, but for the aggregates, which name no machine."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from reports.record import Finding, SelfTest
from reports.serial import from_json
from reports.store.incoming import unpacked
from reports.store.shapes import Aggregates, Count, Latest, Machines, Past
from reports.store.tables import counters, findings, machines, self_tests

_PAST = tuple(
    self_tests.c[n]
    for n in ("run_id", "started_at", "received_at", "level", "link_kind", "source", "version", "measured")
)
_MACHINE = tuple(machines.c[n] for n in ("pseudonym", "name", "unit", "room", "first_seen", "last_seen"))


def latest(connection: Connection, organisation: str, unit: str | None, machine: str | None) -> list[Latest]:
    """Each machine of the organisation (of the unit; that one only) with its latest self-test."""
    more = (self_tests.c.passed, self_tests.c.action, self_tests.c.action_params, self_tests.c.id)
    question = (
        select(*_MACHINE, *_PAST, *more)
        .select_from(machines.outerjoin(self_tests, self_tests.c.id == machines.c.latest_id))
        .order_by(machines.c.unit, machines.c.room, machines.c.name, machines.c.pseudonym)
    )
    rows = connection.execute(_narrow(question, organisation, unit, machine)).all()
    found = _findings(connection, organisation, unit, machine)
    return [_latest(row, found) for row in rows]


def _narrow(question: Select[Any], organisation: str, unit: str | None, machine: str | None) -> Select[Any]:
    question = question.where(machines.c.organisation == organisation)
    if unit is not None:
        question = question.where(machines.c.unit == unit)
    return question if machine is None else question.where(machines.c.pseudonym == machine)


def _findings(
    connection: Connection, organisation: str, unit: str | None, machine: str | None
) -> dict[int, list[Finding]]:
    question = (
        select(findings)
        .join(machines, machines.c.latest_id == findings.c.self_test_id)
        .order_by(findings.c.self_test_id, findings.c.position)
    )
    found: dict[int, list[Finding]] = defaultdict(list)
    for row in connection.execute(_narrow(question, organisation, unit, machine)):
        said = json.loads(row.said)
        found[row.self_test_id].append(
            Finding(level=row.level, rule=row.rule, subject=row.subject, owner=row.owner, **said)
        )
    return found


def _latest(row: Row[Any], found: dict[int, list[Finding]]) -> Latest:
    fields: list[Any] = list(row)
    machine, past = fields[: len(_MACHINE)], fields[len(_MACHINE) : -4]
    passed, action, params, key = fields[-4:]
    if key is None:
        return Latest(*machine)
    return replace(
        Latest(*machine),
        test=_past(past),
        findings=tuple(found.get(key, ())),
        passed=tuple(passed.split(",")) if passed else (),
        action=action,
        action_params=json.loads(params),
    )


def history(connection: Connection, organisation: str, machine: str, since: float, most: int) -> list[Past]:
    """A machine's self-tests, the newest first."""
    question = (
        select(*_PAST)
        .join(machines, machines.c.id == self_tests.c.machine_id)
        .where(machines.c.organisation == organisation, machines.c.pseudonym == machine)
        .where(self_tests.c.organisation == organisation, self_tests.c.started_at >= since)
        .order_by(self_tests.c.started_at.desc())
        .limit(most)
    )
    return [_past(row) for row in connection.execute(question)]


def _past(row: Sequence[Any]) -> Past:
    run_id, started_at, received_at, level, link_kind, source, version, measured = row
    return Past(run_id, started_at, received_at, level, link_kind, source, version, json.loads(measured))


def self_test(connection: Connection, organisation: str, run_id: str) -> SelfTest | None:
    """The whole record."""
    question = select(self_tests.c.document).where(
        self_tests.c.organisation == organisation, self_tests.c.run_id == run_id
    )
    document = connection.execute(question).scalar()
    return None if document is None else from_json(unpacked(document))


def by_code(connection: Connection, organisation: str, code: str) -> SelfTest | None:
    """The newest of those that have the code: there may, once in thousands of millions, be two."""
    question = select(self_tests.c.document).where(self_tests.c.organisation == organisation, self_tests.c.code == code)
    document = connection.execute(question.order_by(self_tests.c.started_at.desc()).limit(1)).scalar()
    return None if document is None else from_json(unpacked(document))


def units(connection: Connection, organisation: str) -> list[str]:
    """The units that have machines; "" for machines without one."""
    question = select(machines.c.unit).where(machines.c.organisation == organisation).distinct()
    return sorted(connection.execute(question.order_by(machines.c.unit)).scalars())


def aggregates(connection: Connection, since: float) -> Aggregates:
    """Machines by their latest self-test, if it is not older than `since`, and all that was ever counted."""
    return Aggregates(tuple(_machines(connection, since)), tuple(_counts(connection)))


def _machines(connection: Connection, since: float) -> Iterator[Machines]:
    """By an index that holds all of it: with a hundred thousand machines it is read in a tenth of a second."""
    m = machines.c
    by: Sequence[Any] = (m.organisation, m.unit, m.latest_link_kind, m.latest_level)
    question = select(*by, func.count()).where(m.latest_at >= since).group_by(*by)
    rows: Iterable[Any] = connection.execute(question)
    return (Machines(*row) for row in rows)


def _counts(connection: Connection) -> Iterator[Count]:
    by = (counters.c.name, counters.c.organisation, counters.c.unit, counters.c.link_kind, counters.c.label)
    return (Count(*row) for row in connection.execute(select(*by, counters.c.value).order_by(*by)))
