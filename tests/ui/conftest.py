"""The page's server with a flow of the tests, and one who visits it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.ui.server import Page
from tests.ui.serving import Visitor, serving, visiting


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with serving() as page:
        yield page


@pytest.fixture
async def visitor(page: Page) -> AsyncIterator[Visitor]:
    async with visiting(page) as visitor:
        yield visitor
