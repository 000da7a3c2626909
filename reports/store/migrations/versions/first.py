"""The first tables. Written out, not taken from tables.py, which will go on changing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String(100)
TIME = sa.Float(53)


def upgrade() -> None:
    """Make them."""
    _machines()
    _self_tests()
    _findings()
    _counters()


def downgrade() -> None:
    """Remove them, with all that they hold."""
    for name in ("counters", "findings", "self_tests", "machines"):
        op.drop_table(name)


def _machines() -> None:
    op.create_table(
        "machines",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("pseudonym", sa.String(32), nullable=False),
        *(sa.Column(name, NAME, nullable=False, server_default="") for name in ("name", "unit", "room")),
        sa.Column("first_seen", TIME),
        sa.Column("last_seen", TIME),
        sa.Column("latest_id", KEY),
        sa.Column("latest_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_machines"),
        sa.UniqueConstraint("organisation", "pseudonym", name="uq_machines_organisation_pseudonym"),
    )
    op.create_index("ix_machines_organisation_unit", "machines", ["organisation", "unit"])


def _self_tests() -> None:
    op.create_table(
        "self_tests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("machine_id", KEY),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        *(sa.Column(name, sa.String(16), nullable=False) for name in ("level", "link_kind", "source")),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("action_params", sa.Text, nullable=False),
        sa.Column("passed", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_self_tests"),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name="fk_self_tests_machine_id"),
        sa.UniqueConstraint("organisation", "run_id", name="uq_self_tests_organisation_run_id"),
    )
    op.create_index("ix_self_tests_machine_id_started_at", "self_tests", ["machine_id", "started_at"])
    op.create_index("ix_self_tests_started_at", "self_tests", ["started_at"])


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("self_test_id", KEY, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("self_test_id", "position", name="pk_findings"),
        sa.ForeignKeyConstraint(["self_test_id"], ["self_tests.id"], name="fk_findings_self_test_id"),
    )


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("unit", NAME, nullable=False),
        sa.Column("link_kind", sa.String(16), nullable=False),
        sa.Column("label", sa.String(96), nullable=False),
        sa.Column("value", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("name", "organisation", "unit", "link_kind", "label", name="pk_counters"),
    )
