"""The way to the database: SQLite with a write-ahead log, or PostgreSQL; and its tables brought up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from reports.store.shapes import StoreError

WRITES = "motesklar_writes"  # an execution option: this connection will write
_MIGRATING = 0x6D6F7465  # any number that other programs in the same database are unlikely to lock
_PATIENCE_S = 10.0


def open_engine(address: str) -> Engine:
    """The database at `sqlite:///FILE` or `postgresql://USER@HOST/NAME`, migrated. Raises StoreError."""
    url = _url(address)
    engine = None
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        if engine is not None:
            engine.dispose()
        raise StoreError(
            f"the store {url.render_as_string(hide_password=True)} cannot be used: {said(error)}"
        ) from None
    return engine


def said(error: BaseException) -> str:
    """The first line of what the database says, without the statement."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0][:200] if lines else type(cause).__name__


def migrate(engine: Engine) -> None:
    """Bring the tables up to date, in one transaction; of several rooms that start at once, one does it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise StoreError("the store is given as sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise StoreError("the store is given as sqlite:///FILE or postgresql://USER@HOST/NAME")


def _postgresql(url: URL) -> Engine:
    # a connection that the server has closed is noticed before it is used
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": int(_PATIENCE_S)})


def _sqlite(url: URL) -> Engine:
    # its files are for its user only; the log beside it inherits that
    Path(url.database or "").touch(mode=0o600)
    engine = create_engine(url, connect_args={"timeout": _PATIENCE_S, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: object, _: object) -> None:
    """Durable (an agent forgets what was answered 200), readable while it is written to."""
    connection.isolation_level = None  # type: ignore[attr-defined]  # the driver begins no transaction on its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()  # type: ignore[attr-defined]


def _begin(connection: Connection) -> None:
    # a reader that begins to write half-way can fail at once; a writer takes its turn first
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
