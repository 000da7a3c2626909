"""The spool: what waits on this computer to be sent, in a SQLite file that outlives kill -9 and power loss.

An item leaves the file only after the far end has said that it has it, so it may be sent twice and is never lost
unsaid: the far end knows it by its run id. When there is no room left the oldest go first, and are counted.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST_WAIT_S = 86400.0  # nothing is put off for longer
ITEM_BYTES = 256  # what an item costs beside its body: row, two indices
BUSY_S = 10.0  # how long another process may hold the file
REASON_LENGTH = 200
_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, run_id TEXT NOT NULL, body BLOB NOT NULL,
    bytes INTEGER NOT NULL, at REAL NOT NULL, place INTEGER NOT NULL, UNIQUE (destination, run_id));
CREATE INDEX IF NOT EXISTS items_in_order ON items (destination, place);
CREATE TABLE IF NOT EXISTS waits (
    destination TEXT PRIMARY KEY, until REAL NOT NULL, tries INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (
    destination TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (destination, what));
"""


class SpoolError(RuntimeError):
    """The file cannot be used; one line says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """One body on its way to one destination.

    `at`: when it was put (seconds since 1970). `tries`: attempts in a row that came to nothing, of this destination.
    """

    id: int
    destination: str
    run_id: str
    body: bytes
    at: float
    tries: int


@dataclass(frozen=True, slots=True)
class Counts:
    """`dropped`: for want of room; `refused`: by the far end, for good. Those and `sent` are since the file was made.

    `oldest_at`: when the oldest that waits was put. `reason`: why the last attempt failed, "" after a success.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    dropped: int = 0
    refused: int = 0
    sent: int = 0
    oldest_at: float | None = None
    reason: str = ""


class Spool:
    """Usable from several threads and processes at once. Each method raises SpoolError when the file fails.

    `most_bytes`: of all bodies together, with ITEM_BYTES for each. `set_aside`: where a file went that was there and
    could not be read.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path, self.most_bytes = path, most_bytes
        self.set_aside: Path | None = None
        self._lock = threading.Lock()
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._open_or_begin_anew()

    def close(self) -> None:
        """The items stay."""
        with self._lock:
            self._db.close()

    def put(self, destination: str, run_id: str, body: bytes, at: float) -> bool:
        """Durable when it returns. False: it waits already, or is larger than the whole spool (then counted)."""
        size = len(body) + ITEM_BYTES
        with self._write() as db:
            if size > self.most_bytes:
                _count(db, destination, "dropped")
                return False
            new = db.execute(
                "INSERT OR IGNORE INTO items (destination, run_id, body, bytes, at, place)"
                " VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM items))",
                (destination, run_id, body, size, at),
            )
            if new.rowcount:
                self._make_room(db)
            return bool(new.rowcount)

    def due(self, destination: str, now: float) -> Item | None:
        """The first in line, unless the destination has been put off."""
        if self.waits_until(destination, now) > now:
            return None
        with self._read() as db:
            row = db.execute(
                "SELECT id, destination, run_id, body, at,"
                " coalesce((SELECT tries FROM waits WHERE waits.destination = items.destination), 0)"
                " FROM items WHERE destination = ? ORDER BY place LIMIT 1",
                (destination,),
            ).fetchone()
        return None if row is None else Item(*row)

    def waits_until(self, destination: str, now: float) -> float:
        """Until when the destination has been put off, in seconds since 1970; 0 if it has not been."""
        with self._read() as db:
            row = db.execute("SELECT until FROM waits WHERE destination = ?", (destination,)).fetchone()
        # A wait longer than any that is ever set: the clock was ahead when it was set, and is not now.
        return 0.0 if row is None or row[0] > now + LONGEST_WAIT_S else float(row[0])

    def done(self, item: Item) -> None:
        """The far end has it."""
        self._take_out(item, "sent")

    def refuse(self, item: Item) -> None:
        """The far end will never take it."""
        self._take_out(item, "refused")

    def put_off(self, item: Item, until: float, reason: str, *, behind: bool = False) -> None:
        """Nothing to its destination before `until`. `behind`: then the others first, where order does not matter."""
        with self._write() as db:
            db.execute(
                "INSERT INTO waits VALUES (?, ?, 1, ?) ON CONFLICT (destination)"
                " DO UPDATE SET until = excluded.until, tries = tries + 1, reason = excluded.reason",
                (item.destination, until, reason[:REASON_LENGTH]),
            )
            if behind:
                db.execute("UPDATE items SET place = (SELECT max(place) + 1 FROM items) WHERE id = ?", (item.id,))

    def hurry(self, destination: str) -> None:
        """Forget that it was put off: the settings are new, or the network is back."""
        with self._write() as db:
            db.execute("DELETE FROM waits WHERE destination = ?", (destination,))

    def counts(self, destination: str | None = None) -> Counts:
        """Of one destination, or of all together."""
        where, args = ("WHERE destination = ?", (destination,)) if destination is not None else ("", ())
        with self._read() as db:
            waiting = db.execute(f"SELECT count(*), coalesce(sum(bytes), 0), min(at) FROM items {where}", args)  # noqa: S608
            number, size, oldest = waiting.fetchone()
            first = db.execute(f"SELECT reason FROM waits {where} LIMIT 1", args).fetchone()  # noqa: S608
            sums = dict(db.execute(f"SELECT what, sum(count) FROM counters {where} GROUP BY what", args))  # noqa: S608
        return Counts(number, size, oldest_at=oldest, reason=first[0] if first else "", **sums)

    def _take_out(self, item: Item, what: str) -> None:
        with self._write() as db:
            db.execute("DELETE FROM waits WHERE destination = ?", (item.destination,))
            if db.execute("DELETE FROM items WHERE id = ?", (item.id,)).rowcount:
                _count(db, item.destination, what)

    def _make_room(self, db: sqlite3.Connection) -> None:
        (size,) = db.execute("SELECT sum(bytes) FROM items").fetchone()
        oldest = db.execute("SELECT id, destination, bytes FROM items ORDER BY at, id")
        while size > self.most_bytes:
            number, destination, freed = oldest.fetchone()
            db.execute("DELETE FROM items WHERE id = ?", (number,))
            _count(db, destination, "dropped")
            size -= freed

    def _open_or_begin_anew(self) -> sqlite3.Connection:
        try:
            return _open(self.path)
        except sqlite3.OperationalError:
            raise  # locked, read-only, full: the file itself may be sound
        except sqlite3.DatabaseError:
            self.set_aside = self.path.with_name(self.path.name + ".broken")
            self.path.replace(self.set_aside)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return _open(self.path)

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _said(self.path):
            yield self._db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction. IMMEDIATE: a reader that becomes a writer would fail at once instead of waiting."""
        with self._lock, _said(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise


def _open(path: Path) -> sqlite3.Connection:
    path.touch(0o600)  # a self-test says where somebody works and how
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA auto_vacuum = FULL")  # the file shrinks again; only takes effect while it is empty
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # in WAL mode anything less loses the last commits with the power
        db.execute("PRAGMA wal_autocheckpoint = 100")
        db.execute("PRAGMA journal_size_limit = 1000000")
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _count(db: sqlite3.Connection, destination: str, what: str) -> None:
    db.execute(
        "INSERT INTO counters VALUES (?, ?, 1) ON CONFLICT (destination, what) DO UPDATE SET count = count + 1",
        (destination, what),
    )


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SpoolError(f"the spool {path} cannot be used: {error}") from None
    except OSError as error:
        raise SpoolError(f"the spool {path} cannot be used: {error.strerror or error}") from None
