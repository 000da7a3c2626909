"""A self-test's reference code stands beside it, so that support finds what somebody reads out to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reports.reference import code_of

revision = "0003"
down_revision = "0002"

_TESTS = sa.table("self_tests", sa.column("id"), sa.column("run_id"), sa.column("code"))


def upgrade() -> None:
    """Self-tests that are there already get theirs."""
    op.add_column("self_tests", sa.Column("code", sa.String(9), nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(sa.select(_TESTS.c.id, _TESTS.c.run_id))
    codes = [{"key": key, "made": code_of(run)} for key, run in rows]
    if codes:
        put = sa.update(_TESTS).where(_TESTS.c.id == sa.bindparam("key")).values(code=sa.bindparam("made"))
        connection.execute(put, codes)
    op.create_index("ix_self_tests_organisation_code", "self_tests", ["organisation", "code"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_self_tests_organisation_code", "self_tests")
    op.drop_column("self_tests", "code")
