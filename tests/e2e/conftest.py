"""Rooms for the tests of a module; for those of the staff page a browser, a server and a folder for pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.page_rooms import Rooms, axe_source, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.ui_hindered_desk import Desk
    from tests.ui.page_server import PageServer


@pytest.fixture(scope="module")
def rooms() -> Iterator[Rooms]:
    rooms = Rooms()
    yield rooms
    rooms.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def desk() -> Iterator[Desk]:
    from tests.e2e.ui_hindered_desk import desk_of_one

    with desk_of_one() as found:
        yield found


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.fixture(scope="module")
def running() -> Iterator[PageServer]:
    from tests.ui.page_server import PageServer

    server = PageServer()
    yield server
    server.close()


@pytest.fixture
def server(running: PageServer) -> PageServer:
    from tests.ui.states import table

    running.forget()
    running.show(table()["start"])
    return running


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MOTESKLAR_SHOTS, else a folder that goes away."""
    folder = Path(os.environ.get("MOTESKLAR_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
