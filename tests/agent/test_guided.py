"""`motesklar check --guided` in a real terminal: questions answered by keys, its end, and the terminal afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent import cli, guided_keys
from agent.service import state
from reports.advice import text
from tests.agent.program import VALIDATOR, VERDICTS, one_line
from tests.media_check import camera_double
from tests.media_check import pulse as server_of
from tests.media_check.voices import ESPEAK, spoken

if sys.platform == "win32":
    pytest.skip("pseudo-terminals", allow_module_level=True)

from tests.agent.terminal import Terminal, quick, terminal

GUIDED = ("check", "--guided", "--lang", "en", "--room", "embedded", "--seconds", 1)
COMPANY = text("guided.company", "en")


@pytest.fixture
def room() -> Iterator[server_of.Pulse]:
    """A table's microphone, which hears what is said in the room, and a headset."""
    if server_of.PROGRAM is None:
        pytest.skip("pulseaudio is not installed (Debian: pulseaudio libasound2-plugins libportaudio2)")
    with server_of.running() as pulse:
        pulse.speaker("room", "Rummet")
        pulse.microphone("table", "room", "Bordsmikrofon")
        pulse.speaker("head", "Headset 45", device_form_factor="headset")
        pulse.defaults(source="table", sink="head")
        yield pulse


# ---- where it cannot be


WRONG = {
    "no terminal": ((), "start it in a terminal"),
    "only": (("--only", "echo"), "leave out --only"),
    "skip": (("--skip", "camera"), "--skip"),
    "no devices": (("--no-devices",), "--no-devices"),
    "quiet": (("--quiet",), "leave out --quiet"),
    "raw": (("--raw", "raw.jsonl"), "leave out --raw"),
    "an even pace": (("--isochronous-ms", "20"), "leave out --isochronous-ms"),
    "both": (("--alone", "--several"), "contradict"),
}


@pytest.mark.parametrize(("more", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: tuple[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["motesklar", "check", "--guided", *more])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert says in one_line(subprocess.CompletedProcess([], int(end.value.code or 0), said.out, said.err))


def test_not_beside_another_self_test(tmp_path: Path) -> None:
    folder = tmp_path / ".local/share/motesklar"
    check = (state.held(folder, state.CHECK_LOCK), state.held(folder, state.TEST_LOCK))
    with check[0], check[1], terminal(tmp_path, *GUIDED) as program:
        assert program.end() == 2
    assert "motesklar: another self-test goes on" in program.shown
    assert COMPANY not in program.shown


# ---- before it has begun


def test_interrupted_at_the_first_question(tmp_path: Path) -> None:
    """An arrow key ends in a letter, and a shell wants its terminal back meanwhile."""
    with terminal(tmp_path, *GUIDED) as program:
        program.wait_for("[s]everal")
        assert not program.is_as_before()
        program.press("\x1b[A")
        program.press("x7 ")
        time.sleep(0.3)  # Ctrl+Z throws away what has not been read
        program.press("\x1a")
        until = time.monotonic() + 5
        while "\nState:\tT" not in Path(f"/proc/{program.process.pid}/status").read_text():
            assert time.monotonic() < until, "Ctrl+Z does not stop it"
            time.sleep(0.02)
        assert program.is_as_before()
        os.kill(program.process.pid, signal.SIGCONT)
        until = time.monotonic() + 5
        while program.is_as_before():
            assert time.monotonic() < until, "it does not take the terminal again"
            time.sleep(0.02)
        program.interrupt()
        assert program.end(5) == 130
        assert "Answer: " not in program.shown
        assert program.shown.endswith("motesklar: stopped\r\n".replace("\r", ""))
        assert program.is_as_before()


def test_ended_at_the_first_question(tmp_path: Path) -> None:
    """By the signal whose default is a core dump."""
    with terminal(tmp_path, *GUIDED) as program:
        program.wait_for("[s]everal")
        program.process.send_signal(signal.SIGQUIT)
        assert program.end(5) == 130
        assert program.is_as_before()


def test_the_window_is_closed(tmp_path: Path) -> None:
    with terminal(tmp_path, *GUIDED) as program:
        program.wait_for("[s]everal")
        program.close()
        program.process.wait(5)


# ---- in its midst


@pytest.mark.usefixtures("room")
def test_interrupted_once_it_shows_what_there_is(tmp_path: Path) -> None:
    """While the tone is played."""
    with terminal(tmp_path, *GUIDED, "--json", redirected=True) as program:
        program.wait_for("[s]everal")
        program.press("a")
        program.wait_for("Step 1 of 6")
        program.interrupt()
        code = program.end(10)
        assert program.is_as_before()
    found = json.loads(program.answer)
    VALIDATOR.validate(found)
    assert VERDICTS[code] == found["verdict"]["level"] == "unknown"
    assert found["interrupted"] is True
    assert "equipment" in {m["name"] for m in found["measurements"]}
    assert not {"echo", "call"} & {m["name"] for m in found["measurements"]}


def test_interrupted_twice(tmp_path: Path) -> None:
    """The second comes while it is still stopping."""
    with quick(tmp_path, {"stops": False}) as program:
        program.wait_for("[y]es")
        program.interrupt()
        program.wait_for(text("guided.stopping", "en"))
        program.interrupt()
        assert program.end(5) == 130
        assert program.is_as_before()


# ---- from beginning to end


def with_camera(home: Path, camera: camera_double.Camera, *arguments: object) -> AbstractContextManager[Terminal]:
    camera.shows("covered")
    return terminal(home, *arguments, module="tests.ui.program", **{camera_double.FOLDER: str(camera.node.parent)})


@pytest.mark.slow
@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
def test_the_whole_flow(tmp_path: Path, room: server_of.Pulse) -> None:
    """In Swedish: the tone is not heard, a sentence is read and listened to, and the lens was covered at first."""
    options = ("check", "--guided", "--lang", "sv", "--room", "embedded", "--seconds", 1, "--html", "receipt.html")
    with camera_double.cameras("Dockans kamera") as (camera,), with_camera(tmp_path, camera, *options) as program:
        program.wait_for("[e]nsam")
        program.press("E")  # capital letters are the same keys
        program.wait_for("[n]ej")
        program.press("n")
        program.wait_for(text("guided.sentence", "sv"))
        program.wait_for("[s]tarta")
        with room.playing("room", 0.05 * spoken("sv", 0, 0, server_of.RATE)):
            program.press("s")
            program.wait_for("Nivå ███")
            program.wait_for("[l]yssna")
        program.press("l")
        program.wait_for("[l]yssna")
        program.press("v")
        program.wait_for("Dockans kamera används.")
        program.wait_for("Bilden just nu: ")
        camera.shows("good")
        program.wait_for(f"Bilden just nu: {text('ui.good_picture', 'sv')}")
        program.press("j")
        program.wait_for("[g]ör om testet", 40)  # of the loudspeaker; a computer under load may have more
        program.wait_for("[a]vsluta")
        program.press("g")
        program.wait_for("[j]a   [n]ej")
        program.press("j")
        program.wait_for("[a]vsluta")
        program.press("\r")
        code = program.end()
        assert program.is_as_before()
    steps = [program.shown.index(f"Steg {number} av 6: ") for number in range(1, 7)]
    assert steps == sorted(steps)
    answer, _, again = program.shown[steps[-1] :].partition("Steg 1 av 6: ")
    for each in (answer, again):
        assert text("table.next", "sv") in each
        assert re.search(r"✔ Ljudnivå när du talar +−\d", each)
        assert text("table.not_recorded", "sv") in each
    assert re.search(r"[!✖] Ljudet från högtalaren +hörs inte", answer)
    assert re.search(r"✔ Ljudet från högtalaren +hörs", again)
    assert text(f"headline.{VERDICTS[code]}", "sv") in again
    assert (tmp_path / "receipt.html").read_text("utf-8").startswith("<!")


# ---- keys


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("J\r", "j\r"),
        ("\x1b", "\x1b"),
        ("\x1b[A", ""),
        ("\x1b[1;5Cy", "y"),
        ("\x1b[3~n\x1b", "n\x1b"),
        ("\x1bOPx", "x"),
        ("\x1bj", ""),
    ],
)
def test_what_is_typed_without_arrows_and_the_like(typed: str, keys: str) -> None:
    got = list[str]()
    guided_keys.press(typed, got.append)
    assert "".join(got) == keys


# ---- a console of Windows


async def test_a_console_whose_keys_a_thread_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written by documentation: kbhit, getwch; two characters for an arrow key, and a character for Ctrl+C."""
    typed, got, interrupted = [*"J", "\xe0", "H", *"å3", "\x1b", "\x03"], list[str](), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)
    console = SimpleNamespace(kbhit=lambda: bool(typed), getwch=lambda: typed.pop(0))
    monkeypatch.setattr(guided_keys, "LOOK_EACH_S", 0.01)
    try:
        with guided_keys.windows(got.append, lambda: None, console):
            async with asyncio.timeout(5):
                await interrupted.wait()
            await asyncio.sleep(0)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    assert got == ["j", "å", "3", "\x1b"]
