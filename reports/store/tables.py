"""The tables. `migrations/versions` makes them; a test holds both equal."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from reports.store.shapes import LONGEST_NAME

# SQLite counts a key up by itself only when its type is INTEGER
KEY = BigInteger().with_variant(Integer, "sqlite")
TIME = Float(53)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

machines = Table(
    "machines",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("organisation", String(LONGEST_NAME), nullable=False),
    Column("pseudonym", String(32), nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False, server_default=""),
    Column("unit", String(LONGEST_NAME), nullable=False, server_default=""),
    Column("room", String(LONGEST_NAME), nullable=False, server_default=""),
    Column("first_seen", TIME),
    Column("last_seen", TIME),
    Column("latest_id", KEY),  # of self_tests, without a foreign key: each would have to exist before the other
    Column("latest_at", TIME),
    Column("latest_link_kind", String(16), nullable=False, server_default=""),  # as the self-test says: counting
    Column("latest_level", String(16), nullable=False, server_default=""),  # machines then needs no self-tests
    UniqueConstraint("organisation", "pseudonym"),
    Index("ix_machines_counted", "organisation", "unit", "latest_link_kind", "latest_level", "latest_at"),
)

self_tests = Table(
    "self_tests",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("organisation", String(LONGEST_NAME), nullable=False),
    Column("machine_id", KEY, ForeignKey("machines.id")),
    Column("run_id", String(64), nullable=False),
    Column("started_at", TIME, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("level", String(16), nullable=False),
    Column("link_kind", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("version", String(40), nullable=False),
    Column("action", String(64), nullable=False),
    Column("action_params", Text, nullable=False),
    Column("passed", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("measured", Text, nullable=False, server_default="{}"),  # Record.values as JSON
    Column("code", String(9), nullable=False, server_default=""),  # reports.reference.code_of the run
    UniqueConstraint("organisation", "run_id"),
    Index(None, "organisation", "code"),
    Index(None, "machine_id", "started_at"),
    Index(None, "started_at"),
)

findings = Table(
    "findings",
    metadata,
    Column("self_test_id", KEY, ForeignKey("self_tests.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("level", String(16), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("owner", String(16), nullable=False),
    Column("subject", String(16), nullable=False),  # the kind of a link or a device
    Column("said", Text, nullable=False),  # the rest of the finding as JSON
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("organisation", String(LONGEST_NAME), primary_key=True),
    Column("unit", String(LONGEST_NAME), primary_key=True),
    Column("link_kind", String(16), primary_key=True),
    Column("label", String(96), primary_key=True),
    Column("value", Float(53), nullable=False),
)
