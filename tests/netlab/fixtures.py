"""The pytest fixtures: import them from here in a conftest.py, and mark tests `netlab`."""

from __future__ import annotations

from functools import cache

import pytest

from tests.netlab import path, router
from tests.netlab.namespaces import unavailable

why_not = cache(unavailable)  # asked once a run


@pytest.fixture(scope="session")
def impaired_path() -> path.PathFactory:
    """The factory `impaired_path(up=…, down=…, seed=…)`; the test is skipped, with the reason, where it cannot work."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    return path.impaired_path


why_no_routers = cache(router.unavailable)


@pytest.fixture
def routed_path() -> router.RouterFactory:
    """The factory `routed_path()`; the test is skipped, with the reason, where it cannot work."""
    reason = why_no_routers()
    if reason is not None:
        pytest.skip(reason)
    return router.routed_path
