"""Where the store is, as people say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.store.address import address, file_of

HERE = Path.cwd()
NAMED = [
    ("fleet.db", f"sqlite:///{HERE}/fleet.db", HERE / "fleet.db"),
    ("/var/lib/fleet.db", "sqlite:////var/lib/fleet.db", Path("/var/lib/fleet.db")),
    ("sqlite:////var/lib/fleet.db", "sqlite:////var/lib/fleet.db", Path("/var/lib/fleet.db")),
    ("postgresql://room@db/fleet", "postgresql://room@db/fleet", None),
]


@pytest.mark.parametrize(("named", "url", "file"), NAMED)
def test_a_files_name_is_enough(named: str, url: str, file: Path | None) -> None:
    assert address(named) == url
    assert file_of(url) == file
