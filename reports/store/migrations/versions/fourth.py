"""A machine's row says how its latest self-test ended, so that machines can be counted without their self-tests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COUNTED = ["organisation", "unit", "latest_link_kind", "latest_level", "latest_at"]
_MACHINES = sa.table("machines", sa.column("latest_id"), sa.column("latest_link_kind"), sa.column("latest_level"))
_TESTS = sa.table("self_tests", sa.column("id"), sa.column("link_kind"), sa.column("level"))


def upgrade() -> None:
    """Machines that are there already get theirs."""
    for name in ("latest_link_kind", "latest_level"):
        op.add_column("machines", sa.Column(name, sa.String(16), nullable=False, server_default=""))
    latest = _TESTS.c.id == _MACHINES.c.latest_id
    op.execute(
        sa.update(_MACHINES)
        .where(sa.exists().where(latest))
        .values(
            latest_link_kind=sa.select(_TESTS.c.link_kind).where(latest).scalar_subquery(),
            latest_level=sa.select(_TESTS.c.level).where(latest).scalar_subquery(),
        )
    )
    op.drop_index("ix_machines_organisation_unit", "machines")
    op.create_index("ix_machines_counted", "machines", _COUNTED)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_machines_counted", "machines")
    op.create_index("ix_machines_organisation_unit", "machines", ["organisation", "unit"])
    for name in ("latest_level", "latest_link_kind"):
        op.drop_column("machines", name)
