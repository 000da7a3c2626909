"""Alembic's folder: env.py and the versions, run by reports.store.engine at the start."""
