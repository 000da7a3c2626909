"""What was measured comes with each self-test; those that were kept before it did come without."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import reports.store
from reports.reference import code_of
from reports.store.engine import WRITES, open_engine
from reports.store.shapes import BUCKETS
from reports.store.store import Store
from tests.reports.store.rows import A, record


def test_values_come_with_the_latest_and_with_the_history(store: Store):
    put = record("r1", A)
    assert put.values
    assert put.values.keys() <= BUCKETS.keys()
    store.take([put])
    (machine,), (past,) = store.latest("habo"), store.history("habo", A, 0)
    assert machine.test == past
    assert past.values == put.values


def test_a_store_of_before_is_brought_up_to_date(url: str):
    store = Store.open(url)
    store.take([record("r1", A)])
    store.close()
    back_to("0001", url)
    store = Store.open(url)
    (past,) = store.history("habo", A, 0)
    assert (past.run_id, past.values) == ("r1", {})
    store.take([record("r2", A, past.started_at + 1)])
    assert [bool(p.values) for p in store.history("habo", A, 0)] == [True, False]
    store.close()


def test_codes_are_found_also_of_self_tests_that_were_kept_before_them(url: str):
    store = Store.open(url)
    store.take([record("r1", A), record("r2", A, 1.8e9, "mullsjo")])
    store.close()
    back_to("0002", url)
    store = Store.open(url)
    store.take([record("r3", A)])
    for organisation, run in (("habo", "r1"), ("mullsjo", "r2"), ("habo", "r3")):
        found = store.by_code(organisation, code_of(run))
        assert found is not None
        assert found.run_id == run
        assert store.by_code("tibro", code_of(run)) is None
    assert store.by_code("habo", code_of("r2")) is None
    store.close()


def back_to(revision: str, url: str) -> None:
    engine, config = open_engine(url), Config()
    config.set_main_option("script_location", str(Path(reports.store.__file__).with_name("migrations")))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()
