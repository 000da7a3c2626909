"""What is taken is kept once, found again by its organisation, and by no other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from reports.serial import to_json
from reports.store.engine import open_engine
from reports.store.shapes import StoreError
from reports.store.store import Store
from reports.store.tables import metadata
from tests.reports.store.rows import NOW, A, B, bad, record, run

DAY = 86400.0


def test_a_run_is_kept_once(store: Store):
    first, second = record("r1"), record("r2")
    assert store.take([first, second, first]) == ["stored", "stored", "known"]
    assert store.take([second, record("r3"), first]) == ["known", "stored", "known"]
    assert {past.run_id for past in store.history("habo", A, 0)} == {"r1", "r2", "r3"}
    assert sum(c.value for c in store.aggregates(0).counts if c.name == "self_tests") == 3


def test_what_comes_back_is_what_was_sent(store: Store):
    store.take([record("r1")])
    found = store.self_test("habo", "r1")
    assert found is not None
    assert to_json(found) == to_json(run("r1"))


def test_no_address_is_kept(store: Store, tmp_path: Path):
    store.take([record("r1")])
    found = store.self_test("habo", "r1")
    assert found is not None
    assert found.links[0].addresses == ()
    assert found.links[0].gateway is None


def test_another_organisation_finds_nothing(store: Store):
    store.take([record("r1", A, organisation="habo"), record("r1", A, NOW + 1, "mullsjo")])
    store.name_machines("habo", f"machine;name\n{A};Ekens dator")
    assert [m.name for m in store.latest("mullsjo")] == [""]
    assert [m.name for m in store.latest("habo")] == ["Ekens dator"]
    assert [p.started_at for p in store.history("mullsjo", A, 0)] == [NOW + 1]
    assert store.self_test("mullsjo", "r1").started_at == NOW + 1  # type: ignore[union-attr]
    assert (store.latest("vaggeryd"), store.history("vaggeryd", A, 0), store.units("vaggeryd")) == ([], [], [])
    assert store.self_test("vaggeryd", "r1") is None


def test_the_latest_is_the_latest_begun_not_the_latest_come(store: Store):
    store.take([record("new", A, NOW)])
    store.take([record("old", A, NOW - DAY)])
    (machine,) = store.latest("habo")
    assert machine.test is not None
    assert machine.test.run_id == "new"
    assert [past.run_id for past in store.history("habo", A, 0)] == ["new", "old"]
    assert [past.run_id for past in store.history("habo", A, NOW - 1)] == ["new"]


def test_the_latest_holds_what_was_wrong_and_what_was_right(store: Store):
    test = record("r1", A, NOW, "habo", bad())
    store.take([test, record("r2", B)])
    machine, fine = store.latest("habo")
    assert machine.findings == test.findings
    assert {f.rule: f.level for f in machine.findings}["loss_up"] == "not_ready"
    assert {f.subject for f in machine.findings} <= {"wired", "other"}
    assert "rtt" in machine.passed
    assert "loss_up" not in machine.passed
    assert "loss_up" in fine.passed
    assert (machine.action, machine.action_params) == (test.action, test.action_params)
    assert store.latest("habo", machine=B) == [fine]


def test_a_browser_has_no_machine(store: Store):
    assert store.take([record("r1", "")]) == ["stored"]
    assert store.latest("habo") == []
    assert store.self_test("habo", "r1") is not None


def test_old_ones_are_forgotten_and_the_counts_are_not(store: Store):
    store.take([record("old", A, NOW - 40 * DAY), record("new", B, NOW), record("older", B, NOW - 41 * DAY)])
    store.name_machines("habo", f"machine,name\n{'c' * 32},Ny")
    before = store.aggregates(0).counts
    assert store.forget(NOW - 30 * DAY) == 2
    assert store.forget(NOW - 30 * DAY) == 0
    assert store.self_test("habo", "old") is None
    assert store.self_test("habo", "new") is not None
    assert [(m.machine[0], m.test is not None) for m in store.latest("habo")] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]
    assert store.aggregates(0).counts == before


def test_a_machine_that_is_silent_long_enough_is_forgotten_unless_it_has_a_name(store: Store):
    store.take([record("r1", A), record("r2", B)])
    store.name_machines("habo", f"machine,name\n{B},Ek")
    assert store.forget(NOW + DAY) == 2
    assert [m.machine for m in store.latest("habo")] == [B]


def test_two_rooms_may_write_at_once(url: str):
    stores = [Store.open(url), Store.open(url)]
    results: list[str] = []

    def send(store: Store, numbers: range) -> None:
        for i in numbers:
            results.extend(store.take([record(f"r{i + k}", f"{(i + k) % 7:032x}") for k in range(5)]))

    threads = [
        threading.Thread(target=send, args=(s, numbers))
        for s, numbers in zip(stores, (range(0, 40, 5), range(35, -1, -5)), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == ["known"] * 40 + ["stored"] * 40
    assert sum(len(stores[0].history("habo", f"{i:032x}", 0)) for i in range(7)) == 40
    for store in stores:
        store.close()


def test_counts_and_tests_survive_a_restart(url: str):
    store = Store.open(url)
    store.take([record("r1")])
    before = store.aggregates(0)
    store.close()
    again = Store.open(url)
    assert again.aggregates(0) == before
    assert again.take([record("r1")]) == ["known"]
    again.close()


def test_the_migrations_make_the_tables_that_the_program_knows(url: str):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("address", [
    "", "nonsense", "mysql://a/b", "sqlite://", "sqlite:///:memory:", "sqlite:////no/such/folder/x.db",
    "postgresql://somebody:hemligt@127.0.0.1:1/none",
])  # fmt: skip
def test_a_store_that_cannot_be_is_refused_in_one_line_without_its_password(address: str):
    with pytest.raises(StoreError) as caught:
        Store.open(address)
    assert "\n" not in str(caught.value)
    assert "hemligt" not in str(caught.value)


def test_the_file_is_for_its_user_only(tmp_path: Path):
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    store.take([record("r1")])
    assert {p.name: oct(p.stat().st_mode & 0o777) for p in tmp_path.iterdir()} == dict.fromkeys(
        ("store.db", "store.db-wal", "store.db-shm"), "0o600"
    )
    store.close()


def test_a_database_that_goes_away_is_a_store_error(tmp_path: Path):
    path = tmp_path / "store.db"
    store = Store.open(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE self_tests")
    engine.dispose()
    with pytest.raises(StoreError, match="does not answer"):
        store.take([record("r1")])
    store.close()
