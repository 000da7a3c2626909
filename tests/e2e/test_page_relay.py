"""The page where UDP is not let out: a real coturn carries the call by TCP, and the verdict says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testroom.calls import CallSettings
from testroom.calls import turn as call_turn
from tests.e2e.page_rooms import SETTINGS, Rooms, browser, needs_chromium, visiting
from tests.turn_server import PROGRAM, Turn, turn_server

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(PROGRAM is None, reason="not installed: turnserver"),
    pytest.mark.slow,
]
ADDRESS = "127.0.0.7"
SECRET = "a secret that coturn and the room share"
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rooms]:
    """A room that tells its callers of a relay, by UDP and by TCP."""
    with turn_server(tmp_path, Turn(address=ADDRESS, secret=SECRET)) as turn:
        urls = tuple(f"turn:{ADDRESS}:{turn.port}?transport={by}" for by in ("udp", "tcp"))
        settings = CallSettings(turn=call_turn.Turn(urls, SECRET.encode()))
        monkeypatch.setitem(SETTINGS, "relayed", settings)
        rooms = Rooms()
        yield rooms
        rooms.close()


def test_a_call_by_tcp_works_with_a_remark(rooms: Rooms, tmp_path: Path):
    with browser(NO_UDP) as started, visiting(started, rooms.url("relayed")) as page:
        with page.expect_response("**/v1/records", timeout=30_000) as answered:
            page.locator("#go").click()
        record = answered.value.request.post_data_json
        page.wait_for_selector("#verdict:not([hidden])")
        page.screenshot(path=tmp_path / "verdict.png", full_page=True)
        assert record["facts"]["media_path"] == "turn_tcp"
        assert record["facts"]["candidate_pair"].startswith("relay/")
        assert record["facts"]["call_carries"] == "video"
        assert page.locator("#headline").inner_text() == "Works, but …"
        assert "detour (TCP)" in page.locator("#findings").text_content()
