"""Where an organisation's self-tests are kept: SQLite in a file, or PostgreSQL.

`shapes` holds what goes in and comes out and imports nothing heavy; `store.Store` is the way to all of it.
Every question names an organisation, and no answer holds another's.
"""
