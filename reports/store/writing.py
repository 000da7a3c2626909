"""Putting self-tests in: a batch is one transaction, and each run of an organisation is kept once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, case, update
from sqlalchemy.dialects import postgresql, sqlite

from reports.record import Finding
from reports.reference import code_of
from reports.store.counting import added
from reports.store.shapes import Outcome, Record
from reports.store.tables import counters, findings, machines, self_tests

Row = dict[str, Any]
Run = tuple[str, str]  # organisation, run id
_Insert = postgresql.Insert | sqlite.Insert


def insert_into(connection: Connection, table: Any) -> _Insert:
    """An INSERT that knows ON CONFLICT, in the database's own dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def put(connection: Connection, records: Sequence[Record]) -> list[Outcome]:
    """Keep those that are not there yet; within the caller's transaction."""
    unique = {(r.organisation, r.run_id): r for r in reversed(records)}  # the first of several stays
    # one order everywhere, so that two rooms that write at once never wait for each other in a circle
    ordered = [unique[run] for run in sorted(unique)]
    owners = _machines(connection, ordered)
    ids = _self_tests(connection, ordered, owners)
    new = [r for r in ordered if (r.organisation, r.run_id) in ids]
    _findings(connection, new, ids)
    _latest(connection, new, ids, owners)
    _count(connection, new, owners)
    return _outcomes(records, set(ids))


def _outcomes(records: Iterable[Record], new: set[Run]) -> list[Outcome]:
    """For each in turn; of several alike in one batch the first is the new one."""
    outcomes: list[Outcome] = []
    for record in records:
        run = (record.organisation, record.run_id)
        outcomes.append("stored" if run in new else "known")
        new.discard(run)
    return outcomes


def _machines(connection: Connection, records: Iterable[Record]) -> dict[Run, tuple[int, str]]:
    """(organisation, pseudonym) -> id and unit; made on first sight."""
    seen: dict[Run, float] = {}
    for r in records:
        if r.machine:
            key = (r.organisation, r.machine)
            seen[key] = max(seen.get(key, 0.0), r.received_at)
    if not seen:
        return {}
    insert = insert_into(connection, machines)
    new, old = insert.excluded.last_seen, machines.c.last_seen
    statement = insert.on_conflict_do_update(
        index_elements=["organisation", "pseudonym"],
        set_={"first_seen": case((machines.c.first_seen.is_(None), new), else_=machines.c.first_seen),
              "last_seen": case((old > new, old), else_=new)},
    ).returning(machines.c.organisation, machines.c.pseudonym, machines.c.id, machines.c.unit)  # fmt: skip
    rows = [
        {"organisation": o, "pseudonym": p, "first_seen": at, "last_seen": at} for (o, p), at in sorted(seen.items())
    ]
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(statement, rows)}


def _self_tests(
    connection: Connection, records: Iterable[Record], owners: dict[Run, tuple[int, str]]
) -> dict[Run, int]:
    """The ids of those that were new."""
    statement = (
        insert_into(connection, self_tests)
        .on_conflict_do_nothing(index_elements=["organisation", "run_id"])
        .returning(self_tests.c.organisation, self_tests.c.run_id, self_tests.c.id)
    )
    rows = [_row(r, owners) for r in records]
    return {(row[0], row[1]): row[2] for row in connection.execute(statement, rows)} if rows else {}


def _row(r: Record, owners: dict[Run, tuple[int, str]]) -> Row:
    machine = owners.get((r.organisation, r.machine))
    return {
        "organisation": r.organisation,
        "machine_id": machine[0] if machine else None,
        "run_id": r.run_id,
        "started_at": r.started_at,
        "received_at": r.received_at,
        "level": r.level,
        "link_kind": r.link_kind,
        "source": r.source,
        "version": r.version,
        "action": r.action,
        "action_params": json.dumps(dict(r.action_params)),
        "passed": ",".join(r.passed),
        "document": r.document,
        "code": code_of(r.run_id),
        "measured": json.dumps(dict(r.values)),
    }


def _findings(connection: Connection, records: Iterable[Record], ids: dict[Run, int]) -> None:
    rows = [
        {"self_test_id": ids[r.organisation, r.run_id], "position": i, "level": f.level, "rule": f.rule,
         "owner": f.owner, "subject": f.subject, "said": _said(f)}
        for r in records for i, f in enumerate(r.findings)
    ]  # fmt: skip
    if rows:
        connection.execute(findings.insert(), rows)


def _said(f: Finding) -> str:
    rest = {"value": f.value, "limit": f.limit, "advice": f.advice, "sure": f.sure, "source": f.source}
    return json.dumps(rest | {"params": dict(f.params)})


def _latest(
    connection: Connection, records: Iterable[Record], ids: dict[Run, int], owners: dict[Run, tuple[int, str]]
) -> None:
    """A test that waited in an agent's spool may come after a newer one."""
    newest: dict[int, tuple[float, int, str, str]] = {}
    for r in records:
        if machine := owners.get((r.organisation, r.machine)):
            mine = (r.started_at, ids[r.organisation, r.run_id], r.link_kind, r.level)
            newest[machine[0]] = max(newest.get(machine[0], mine), mine)
    if not newest:
        return
    statement = (
        update(machines)
        .where(machines.c.id == bindparam("machine"))
        .where((machines.c.latest_at.is_(None)) | (machines.c.latest_at < bindparam("at")))
        .values(
            latest_id=bindparam("test"),
            latest_at=bindparam("at"),
            latest_link_kind=bindparam("kind"),
            latest_level=bindparam("level"),
        )
    )
    rows = [
        {"machine": m, "at": at, "test": test, "kind": kind, "level": level}
        for m, (at, test, kind, level) in sorted(newest.items())
    ]
    connection.execute(statement, rows)


def _count(connection: Connection, records: Iterable[Record], owners: dict[Run, tuple[int, str]]) -> None:
    total = added((r, owners.get((r.organisation, r.machine), (0, ""))[1]) for r in records)
    if not total:
        return
    insert = insert_into(connection, counters)
    names = ("name", "organisation", "unit", "link_kind", "label")
    statement: Insert = insert.on_conflict_do_update(
        index_elements=list(names), set_={"value": counters.c.value + insert.excluded.value}
    )
    rows = [dict(zip(names, key, strict=True)) | {"value": value} for key, value in sorted(total.items())]
    connection.execute(statement, rows)
