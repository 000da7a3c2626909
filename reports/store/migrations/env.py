"""Run by Alembic with the connection that reports.store.engine hands over."""

from __future__ import annotations

from alembic import context

from reports.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
