"""What a self-test measured stands beside it, so that many can be read without unpacking each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Self-tests that are there already stay without."""
    op.add_column("self_tests", sa.Column("measured", sa.Text, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("self_tests", "measured")
