"""Every test of the store runs on SQLite, and on PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from reports.store.store import Store
from tests import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    if not postgres_server.is_there():
        pytest.skip("PostgreSQL is not installed")
    with postgres_server.running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server = request.getfixturevalue("postgres")
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:") + "/postgres")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS motesklar WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE motesklar"))
    engine.dispose()
    return f"{server}/motesklar"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store.open(url)
    yield store
    store.close()
