"""The store: everything that is kept of an organisation's self-tests, behind one class."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from reports.record import SelfTest
from reports.store import naming, reading, writing
from reports.store.engine import WRITES, open_engine, said
from reports.store.shapes import Aggregates, Latest, Named, Outcome, Past, Record, StoreError
from reports.store.tables import findings, machines, self_tests

CURRENT_S = 30 * 86400.0  # a machine whose latest self-test is older counts as none
MOST_HISTORY = 1000


class Store:
    """Any thread may ask. Every method raises StoreError when the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; makes and migrates the tables. Raises StoreError."""
        return cls(open_engine(url))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def take(self, records: Sequence[Record]) -> list[Outcome]:
        """Keep each run of an organisation once; all of them or, with StoreError, none. Durable when it returns."""
        if not records:
            return []
        with self._writing() as connection:
            return writing.put(connection, records)

    def latest(self, organisation: str, unit: str | None = None, machine: str | None = None) -> list[Latest]:
        """Each machine with its latest self-test, by unit, room and name; all units if `unit` is None."""
        with self._reading() as connection:
            return reading.latest(connection, organisation, unit, machine)

    def history(self, organisation: str, machine: str, since: float, most: int = MOST_HISTORY) -> list[Past]:
        """The self-tests that one machine began at `since` or later, the newest first."""
        with self._reading() as connection:
            return reading.history(connection, organisation, machine, since, most)

    def self_test(self, organisation: str, run_id: str) -> SelfTest | None:
        """One self-test, whole; None: this organisation has none of that name."""
        with self._reading() as connection:
            return reading.self_test(connection, organisation, run_id)

    def by_code(self, organisation: str, code: str) -> SelfTest | None:
        """The organisation's self-test with that reference code, as `reports.reference.read_code` gives it."""
        with self._reading() as connection:
            return reading.by_code(connection, organisation, code)

    def units(self, organisation: str) -> list[str]:
        """The organisation's units in order; "" stands for machines without one."""
        with self._reading() as connection:
            return reading.units(connection, organisation)

    def aggregates(self, since: float | None = None) -> Aggregates:
        """Counts of all organisations that name no machine; `since`: 30 days ago unless told."""
        with self._reading() as connection:
            return reading.aggregates(connection, time.time() - CURRENT_S if since is None else since)

    def name_machines(self, organisation: str, csv: str) -> Named:
        """Give the machines the names in the CSV (see naming). Raises NamesError, and then nothing is changed."""
        lines = naming.read_names(csv)
        with self._writing() as connection:
            return naming.put_names(connection, organisation, lines)

    def forget(self, before: float) -> int:
        """Delete the self-tests begun before that, and machines without a name or a test; how many self-tests."""
        with self._writing() as connection:
            return _forget(connection, before)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _told(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            _told(),
            self._engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the store does not answer: {said(error)}") from None


def _forget(connection: Connection, before: float) -> int:
    old = select(self_tests.c.id).where(self_tests.c.started_at < before)
    connection.execute(delete(findings).where(findings.c.self_test_id.in_(old)))
    connection.execute(
        update(machines)
        .where(machines.c.latest_at < before)
        .values(latest_id=None, latest_at=None, latest_link_kind="", latest_level="")
    )  # the latest is the newest: when it goes, all older ones go too
    gone = connection.execute(delete(self_tests).where(self_tests.c.started_at < before)).rowcount
    used = select(self_tests.c.machine_id).where(self_tests.c.machine_id == machines.c.id).exists()
    unnamed = (machines.c.name == "") & (machines.c.unit == "") & (machines.c.room == "")
    connection.execute(delete(machines).where(unnamed, machines.c.last_seen < before, ~used))
    return int(gone)
