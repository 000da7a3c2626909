"""The pytest fixture: `from tests.netlab.fixtures import impaired_path` in a conftest.py, and mark tests `netlab`."""

from __future__ import annotations

from functools import cache

import pytest

from tests.netlab import path
from tests.netlab.namespaces import unavailable

why_not = cache(unavailable)  # asked once a run


@pytest.fixture
def impaired_path() -> path.PathFactory:
    """The factory `impaired_path(up=…, down=…, seed=…)`; the test is skipped, with the reason, where it cannot work."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    return path.impaired_path
