"""`motesklar ui` itself: its address, its signals, a second one, and what it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.options import UsageError
from agent.service import state as kept
from agent.ui import browser, opening
from tests.agent.program import one_line, run
from tests.ui.serving import Told, options
from tests.ui.started import URL, address, children, gone, lines, names, opened, script, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
async def test_a_signal_in_a_run_ends_all_of_it_within_three_seconds(tmp_path: Path, number: signal.Signals):
    heeded = ("env", f"--default-signal={number.name}") if number != signal.SIGKILL else ()  # also under nohup(1)
    async with started(tmp_path, "--no-browser", prefix=heeded) as program, contextlib.AsyncExitStack() as stack:
        url, base = address(program)
        session = await stack.enter_async_context(opened(url))
        events = await stack.enter_async_context(session.get(f"{base}/v1/events"))
        async with session.post(f"{base}/v1/start", json={"company": "alone"}, headers={"Origin": base}) as answer:
            assert answer.status == 204
        found = list[psutil.Process]()
        until = time.monotonic() + 10
        while not found and time.monotonic() < until:
            await asyncio.sleep(0.02)
            found = children(program)
        assert found
        begun = time.monotonic()
        code = await program.end(number)
        if number == signal.SIGKILL:  # then they see for themselves that it has gone
            while not all(map(gone, found)) and time.monotonic() < begun + 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert time.monotonic() - begun < 3
        assert [process for process in found if not gone(process)] == []
        if number != signal.SIGKILL:
            assert code == 0
            assert (await events.content.read()).endswith(b"event: end\ndata: {}\n\n")
            assert "ui.port" not in names(tmp_path / ".local/share/motesklar")


async def test_a_second_one_opens_the_page_of_the_first(tmp_path: Path):
    noted = tmp_path / "browser"
    opener = script(tmp_path, f'echo "$1" >>{noted}')
    by = {"BROWSER": f"{opener} %s"}
    async with started(tmp_path, **by) as program:
        url, base = address(program)
        async with asyncio.timeout(10):
            while lines(noted) != [url]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        begun = time.monotonic()
        second = await asyncio.to_thread(lambda: run(tmp_path, "ui", "--room", "https://other.example", **by))
        assert second.returncode == 0
        assert time.monotonic() - begun < 5
        found = URL.search(second.stderr)
        assert found
        assert found[1] == base
        assert found[0] != url
        assert lines(noted) == [url, found[0]]
        async with opened(found[0]), opened(url):
            pass
        assert await program.end(signal.SIGKILL) < 0
    async with started(tmp_path, "--no-browser") as program:  # what the killed one left is no hindrance
        async with opened(address(program)[0]):
            pass
        assert await program.end(signal.SIGTERM) == 0


async def test_without_a_browser_and_a_state_folder_it_works_all_the_same(tmp_path: Path):
    (tmp_path / ".local").write_text("a file")
    async with started(tmp_path, "--lang", "en", BROWSER="no-such-program %s") as program:
        assert program.lines[0].startswith("motesklar: cannot use the state folder")
        await program.said("No browser could be opened")
        async with opened(address(program)[0]):
            pass
        assert await program.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("environment", "can"), [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": ""}, False)]
)
@pytest.mark.skipif(sys.platform != "linux", reason="others always have a screen")
def test_without_a_screen_no_browser_of_the_terminal_is_begun(environment: dict[str, str], can: bool):
    assert browser.can_be_shown(environment) == can


async def test_a_browser_that_never_returns_holds_nothing_up_and_stays(tmp_path: Path):
    by = {"BROWSER": f"{script(tmp_path, f'echo $$ >{tmp_path}/pid; exec sleep 60')} %s"}
    async with started(tmp_path, **by) as program:
        async with opened(address(program)[0]):
            pass
        async with asyncio.timeout(10):
            while not lines(tmp_path / "pid"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        begun = time.monotonic()
        assert await program.end(signal.SIGINT) == 0
        assert time.monotonic() - begun < 3
    stays = psutil.Process(int(lines(tmp_path / "pid")[0]))
    assert stays.cmdline() == ["sleep", "60"]
    stays.kill()


def test_what_is_wrong_is_shown_in_the_browser_where_there_is_no_terminal(tmp_path: Path):
    (tmp_path / "s.toml").write_text("[rom]\n")
    fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())"
    opener = script(tmp_path, f"exec {sys.executable} -c '{fetch}' \"$1\" >{tmp_path}/shown")
    found = run(tmp_path, "ui", "--settings", "s.toml", "--lang", "en", BROWSER=f"{opener} %s")
    line = one_line(found)
    assert "did you mean room?" in line
    shown = (tmp_path / "shown").read_text()
    assert "did you mean room?" in shown
    assert "<script" not in shown
    (tmp_path / "shown").unlink()
    begun = time.monotonic()
    one_line(run(tmp_path, "ui", "--settings", "s.toml", BROWSER="no-such-program %s"))
    assert time.monotonic() - begun < 10
    one_line(run(tmp_path, "ui", "--settings", "s.toml", "--no-browser", BROWSER=f"{opener} %s"))
    assert not (tmp_path / "shown").exists()


def test_a_port_in_use_is_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = one_line(run(tmp_path, "ui", "--no-browser", "--port", port))
    assert line.startswith(f"motesklar: --port: cannot listen on 127.0.0.1:{port}: ")
    with pytest.raises(UsageError, match="--port must be"):
        opening.run(opening.Asked(options(), port=65536), tmp_path, Told)


async def test_one_that_holds_the_lock_and_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "PATIENCE_S", 0.3)
    with kept.held(tmp_path, kept.PAGE_LOCK), pytest.raises(UsageError, match="runs already"):
        await asyncio.to_thread(opening.run, opening.Asked(options(), browser=False), tmp_path, Told)
    assert names(tmp_path) == [kept.PAGE_LOCK]


async def test_a_browser_that_has_not_returned_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(browser, "DEADLINE_S", 1.0)
    monkeypatch.setenv("BROWSER", f"{script(tmp_path, 'exec sleep 3')} %s")
    assert await browser.show("http://127.0.0.1:1/")
