from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.spool import ITEM_BYTES, LONGEST_WAIT_S, Item, Spool, SpoolError

NOW = 1.8e9
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "state/spool.db", 10**6)
    yield made
    made.close()


def put(spool: Spool, *run_ids: str, to: str = "room", body: bytes = b"x") -> None:
    for place, run_id in enumerate(run_ids):
        assert spool.put(to, run_id, body, NOW + place)


def first(spool: Spool, now: float = NOW, to: str = "room") -> Item:
    item = spool.due(to, now)
    assert item is not None
    return item


def drained(spool: Spool, to: str = "room") -> list[str]:
    seen = []
    while item := spool.due(to, NOW):
        seen.append(item.run_id)
        spool.done(item)
    return seen


def test_what_is_put_comes_out_in_order_whole_and_is_counted(spool: Spool):
    put(spool, "a", "b", "c", body=bytes(range(256)))
    assert first(spool).body == bytes(range(256))
    assert first(spool).at == NOW
    assert drained(spool) == ["a", "b", "c"]
    assert (spool.counts("room").waiting, spool.counts("room").sent) == (0, 3)


def test_a_run_waits_once_for_each_destination(spool: Spool):
    put(spool, "a")
    assert not spool.put("room", "a", b"again", NOW)
    assert spool.put("prometheus", "a", b"other", NOW)
    assert first(spool).body == b"x"
    assert drained(spool) == ["a"]
    assert drained(spool, "prometheus") == ["a"]


def test_those_behind_one_that_is_put_off_wait_with_it(spool: Spool):
    put(spool, "a", "b")
    spool.put_off(first(spool), NOW + 60, "no answer")
    assert spool.due("room", NOW + 59.9) is None
    assert spool.waits_until("room", NOW) == NOW + 60
    assert spool.counts("room").reason == "no answer"
    again = first(spool, NOW + 60)
    assert (again.run_id, again.tries) == ("a", 1)


def test_one_that_is_put_behind_lets_the_others_pass_when_the_wait_is_over(spool: Spool):
    put(spool, "a", "b")
    spool.put_off(first(spool), NOW + 60, "error 500", behind=True)
    assert spool.due("room", NOW + 59) is None
    item = first(spool, NOW + 60)
    assert (item.run_id, item.tries) == ("b", 1)
    spool.done(item)
    assert (first(spool).run_id, first(spool).tries) == ("a", 0)


def test_what_is_put_meanwhile_waits_as_well(spool: Spool):
    put(spool, "a")
    spool.put_off(first(spool), NOW + 60, "it asks for a pause", behind=True)
    put(spool, "b")
    assert spool.due("room", NOW + 59) is None


def test_one_destination_does_not_hold_up_another(spool: Spool):
    put(spool, "a")
    put(spool, "a", to="prometheus")
    spool.put_off(first(spool), NOW + 60, "no answer")
    assert spool.due("prometheus", NOW) is not None


def test_hurry_forgets_what_was_put_off(spool: Spool):
    put(spool, "a")
    spool.put_off(first(spool), NOW + 60, "the token is wrong")
    spool.hurry("room")
    assert first(spool).run_id == "a"


def test_a_clock_that_was_ahead_holds_nothing_up_for_ever(spool: Spool):
    put(spool, "a")
    spool.put_off(first(spool), NOW + 10 * 365 * 86400, "no answer")
    assert first(spool, NOW).run_id == "a"
    spool.put_off(first(spool), NOW + LONGEST_WAIT_S, "no answer")
    assert spool.due("room", NOW) is None


def test_refused_and_sent_are_counted_apart_and_once(spool: Spool):
    put(spool, "a", "b", "c")
    item = first(spool)
    spool.refuse(item)
    spool.done(item)
    spool.done(first(spool))
    counts = spool.counts("room")
    assert (counts.refused, counts.sent, counts.dropped, counts.waiting) == (1, 1, 0, 1)
    assert spool.counts() == counts


def test_the_oldest_go_first_when_there_is_no_room(tmp_path: Path):
    with closing(Spool(tmp_path / "s.db", 3 * (100 + ITEM_BYTES))) as spool:
        put(spool, "a", "b", "c", "d", "e", body=b"x" * 100)
        counts = spool.counts("room")
        assert (counts.waiting, counts.dropped, counts.oldest_at) == (3, 2, NOW + 2)
        assert drained(spool) == ["c", "d", "e"]


def test_a_body_larger_than_the_spool_drives_nothing_out(tmp_path: Path):
    with closing(Spool(tmp_path / "s.db", 1000)) as spool:
        put(spool, "a")
        assert not spool.put("room", "huge", b"x" * 1000, NOW)
        assert spool.counts("room").dropped == 1
        assert drained(spool) == ["a"]


def test_counts_outlive_the_process(tmp_path: Path):
    with closing(Spool(tmp_path / "s.db", 10**6)) as spool:
        put(spool, "a", "b")
        spool.done(first(spool))
        before = spool.counts()
    with closing(Spool(tmp_path / "s.db", 10**6)) as spool:
        assert spool.counts() == before


def test_the_file_keeps_to_its_size_and_shrinks(tmp_path: Path):
    most = 400_000
    with closing(Spool(tmp_path / "s.db", most)) as spool:
        for number in range(120):
            spool.put("room", str(number), b"x" * 10_000, NOW)
        size = sum(p.stat().st_size for p in tmp_path.iterdir())
        assert most * 0.8 < size < most * 1.2 + 1_000_000  # the journal's limit
        drained(spool)
    assert (tmp_path / "s.db").stat().st_size < 50_000


def test_it_is_durable_and_its_users_own(spool: Spool):
    assert spool._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert spool._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool.path.stat().st_mode & 0o077 == 0


def test_several_threads_and_connections_at_once(tmp_path: Path):
    spools = [Spool(tmp_path / "s.db", 10**6) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: put(spools[n % 2], f"r{n}"), range(40)))
    assert sorted(drained(spools[0])) == sorted(f"r{n}" for n in range(40))
    for spool in spools:
        spool.close()


# ---- broken files


def test_a_file_that_is_not_a_spool_is_set_aside(tmp_path: Path):
    (tmp_path / "s.db").write_bytes(b"not a database, but long enough to be read as one. " * 100)
    with closing(Spool(tmp_path / "s.db", 10**6)) as spool:
        assert spool.set_aside is not None
        assert spool.set_aside.read_bytes().startswith(b"not a database")
        put(spool, "a")


def test_a_file_that_cannot_be_opened_is_an_error_of_one_line(tmp_path: Path):
    (tmp_path / "s.db").mkdir()
    with pytest.raises(SpoolError, match=r"^the spool .*s\.db cannot be used: [^\n]+$"):
        Spool(tmp_path / "s.db", 10**6)


def test_a_disk_that_is_full_is_an_error_of_one_line_and_harms_nothing(spool: Spool):
    put(spool, "a")
    spool._db.execute("PRAGMA max_page_count = 12")
    with pytest.raises(SpoolError, match="full"):
        spool.put("room", "b", b"x" * 500_000, NOW)
    assert drained(spool) == ["a"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1))
def test_a_journal_cut_anywhere_leaves_the_first_items_whole(tmp_path: Path, cut: float):
    """What power loss leaves: a journal that ends in the middle of a commit."""
    folder = tmp_path / "before"
    if not folder.exists():
        with closing(Spool(folder / "s.db", 10**6)) as spool:
            put(spool, *"abcdef", body=b"x" * 3000)
            shutil.copytree(folder, tmp_path / "copy")
    after = tmp_path / "after"
    shutil.rmtree(after, ignore_errors=True)
    after.mkdir()
    shutil.copy(tmp_path / "copy/s.db", after)
    journal = (tmp_path / "copy/s.db-wal").read_bytes()
    (after / "s.db-wal").write_bytes(journal[: int(len(journal) * cut)])
    with closing(Spool(after / "s.db", 10**6)) as spool:
        assert spool.set_aside is None
        left = drained(spool)
    assert left == list("abcdef")[: len(left)]
    assert cut < 1 or len(left) == 6


PUTTING = """
import sys, pathlib
from reports.spool import Spool
spool = Spool(pathlib.Path(sys.argv[1]), 10**8)
for number in range(10**6):
    spool.put("room", str(number), b"x" * 5000, 1.8e9)
    print(number, flush=True)
"""


def test_what_put_has_returned_for_is_there_after_kill_9(tmp_path: Path):
    command = [sys.executable, "-c", PUTTING, str(tmp_path / "s.db")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(30):
            child.stdout.readline()
        child.kill()
        said = 30 + len(child.stdout.readlines())
    with closing(Spool(tmp_path / "s.db", 10**8)) as spool:
        assert spool.set_aside is None
        assert spool.counts("room").waiting in (said, said + 1)  # one may be in the file and not yet said
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
