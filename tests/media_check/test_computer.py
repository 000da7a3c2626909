"""The check of the computer itself: whole, each part by itself, and what is said when a part is missing."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from media_check import computer, computer_display, computer_encode
from media_check.computer import ENCODER, QUICK, Plan, _answer, check
from media_check.computer_display import from_sysfs
from media_check.computer_encode import Encoded, ratios
from media_check.computer_part import Part, UnknownError, aside, output
from media_check.computer_space import on_linux
from media_check.errand import Errand
from processes import child
from processes.open_files import text
from reports.draft import Draft
from tests.media_check.computing import errand, tree, until

VALUES = {name for plan in (*QUICK, ENCODER) for name in plan.values}
WORDS = {word for plan in (*QUICK, ENCODER) for word in plan.words}
Ask = Callable[[Errand], Awaitable[Part]]


def whole(draft: Draft) -> Draft:
    """Every quantity is known or unknown with a reason, every word said or unknown with a reason."""
    m = draft.measurement()
    assert (m.name, m.subject, m.failure) == ("computer", "computer", None)
    assert set(m.values) ^ set(m.unknown) == VALUES
    assert set(m.facts) >= WORDS
    reasons = [*m.unknown.values(), *(m.facts[f"{w}_unknown"] for w in WORDS if m.facts[w] == "unknown")]
    assert all(isinstance(reason, str) and reason and "/" not in reason for reason in reasons)
    return draft


async def hangs(_: Errand) -> Part:
    await asyncio.sleep(60)
    return Part()


async def test_this_computer_is_looked_at_within_the_time() -> None:
    steps: list[str] = []
    begun = time.monotonic()
    draft = whole(await check(errand(9.0, card=True, progress=lambda step: steps.append(step.what))))
    assert time.monotonic() - begun < 9.5
    assert steps == ["looking", "encoding", "done"]
    assert draft.values["memory_free_bytes"] > 1e6
    assert draft.values["disk_free_bytes"] > 0
    assert 0.05 < draft.values["encode_speed_ratio"] < 100
    assert 0 < draft.values["encode_cpu_ratio"] < 2


async def test_a_part_that_breaks_is_unknown_and_the_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(error: BaseException) -> Ask:
        async def ask(_: Errand) -> Part:
            raise error

        return ask

    async def memory(_: Errand) -> Part:
        return Part({"memory_free_bytes": 1.0})

    monkeypatch.setattr(computer, "QUICK_S", 0.2)
    monkeypatch.setattr(computer, "QUICK", (
        Plan(raising(UnknownError("it does not say")), words=("browser",)),
        Plan(raising(ModuleNotFoundError("no", name="psutil")), ("disk_free_bytes",)),
        Plan(raising(PermissionError("/secret/path")), ("display_height_pixels",)),
        Plan(raising(KeyError("/secret/path")), words=("card_reader",)),
        Plan(hangs, ("battery_ratio",), ("power",)),
        Plan(memory, ("memory_free_bytes",)),
    ))  # fmt: skip
    monkeypatch.setattr(computer, "ENCODER", Plan(hangs))
    draft = await check(errand(0.8))
    assert draft.values == {"memory_free_bytes": 1.0}
    assert draft.unknown == {
        "disk_free_bytes": "the package psutil is not installed",
        "display_height_pixels": "this program may not look at it",
        "battery_ratio": "no answer in time",
    }
    assert draft.facts == {
        "browser": "unknown", "browser_unknown": "it does not say",
        "card_reader": "unknown", "card_reader_unknown": "looking at it failed (KeyError)",
        "power": "unknown", "power_unknown": "no answer in time",
    }  # fmt: skip


async def test_a_stop_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer, "QUICK", (*QUICK, Plan(hangs)))
    stopped = errand(card=True)
    task = asyncio.create_task(check(stopped))
    await asyncio.sleep(0.1)
    stopped.stop.set()
    begun = time.monotonic()
    draft = whole(await task)
    assert time.monotonic() - begun < 1.0
    assert draft.unknown["encode_speed_ratio"] == "the test was stopped"


async def test_a_file_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to, as a network disk whose server is gone."""
    os.mkfifo(tmp_path / "pipe")

    async def ask(_: Errand) -> Part:
        return Part(reason=await aside((tmp_path / "pipe").read_text))

    assert (await _answer(Plan(ask), errand(), 0.2)).reason == "no answer in time"
    (tmp_path / "pipe").write_text("")  # so that its thread ends


async def test_when_no_time_is_left_everything_is_unknown() -> None:
    draft = whole(await check(errand(0.1, card=True)))
    assert set(draft.unknown.values()) == {"no time was left for it"}
    assert not draft.values


# ---- the encoder --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoded", "cores", "cpu", "speed"), [
    (Encoded(60, 2.0, 2.0), 1, 1.0, 1.0), (Encoded(60, 0.5, 0.5), 4, 0.0625, 4.0), (Encoded(30, 2.0, 1.0), 2, 0.5, 0.5),
])  # fmt: skip
def test_ratios(encoded: Encoded, cores: int, cpu: float, speed: float) -> None:
    assert ratios(encoded, cores) == {"encode_cpu_ratio": cpu, "encode_speed_ratio": speed}


def test_too_few_pictures_say_nothing() -> None:
    with pytest.raises(UnknownError):
        ratios(Encoded(4, 2.0, 2.0), 1)


async def test_without_the_encoders_package_it_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"av.py": "raise ImportError('none', name='av')"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UnknownError, match="package av is not installed"):
        await computer_encode.ask(errand())


async def test_an_encoder_that_dies_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"av.py": "import os; os.abort()"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UnknownError, match="without an answer"):
        await computer_encode.ask(errand())


# ---- display, sound system, other programs -------------------------------------------------------------------------


def connector(name: str, status: str, *modes: str) -> dict[str, str]:
    return {f"{name}/status": status, f"{name}/modes": "\n".join(modes)}


def test_the_largest_connected_display_counts(tmp_path: Path) -> None:
    tree(tmp_path, connector("card0-eDP-1", "connected", "1366x768", "800x600"))
    tree(tmp_path, connector("card0-HDMI-A-1", "disconnected", "3840x2160"))
    assert from_sysfs(tmp_path) == (1366, 768)
    tree(tmp_path, connector("card1-DP-2", "connected", "1920x1080", "2560x1440i"))
    tree(tmp_path, connector("card1-DP-3", "connected"))
    assert from_sysfs(tmp_path) == (1920, 1080)


async def test_the_display_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, connector("card0-eDP-1", "connected", "1920x1200"))
    monkeypatch.setattr(computer_display, "GRAPHICS", tmp_path)
    assert await computer_display.ask(errand()) == Part({"display_height_pixels": 1200.0}, {"display": "1920x1200"})


@pytest.mark.parametrize(
    "files", [{}, connector("card0-eDP-1", "disconnected", "1x1"), {"card0-X/status": "connected"}]
)
def test_without_a_display_it_is_unknown(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(UnknownError):
        from_sysfs(tree(tmp_path, files))


async def test_the_sound_system(tmp_path: Path) -> None:
    cards = tree(tmp_path, {"none": "--- no soundcards ---", "one": " 0 [PCH ]: HDA-Intel - HDA"})
    quiet = {"PULSE_SERVER": f"unix:{tmp_path}/gone"}
    assert on_linux(quiet, tmp_path / "missing") == "none"
    assert on_linux(quiet, cards / "none") == "none"
    assert on_linux(quiet, cards / "one") == "alsa"
    (tmp_path / "pulse").mkdir()
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), tmp_path / "pulse" / "native")
    async with server:
        assert on_linux({"XDG_RUNTIME_DIR": str(tmp_path)}, cards / "none") == "pulse"
        assert on_linux({"PULSE_SERVER": f"unix:{tmp_path}/pulse/native"}, cards / "none") == "pulse"
    assert on_linux({"XDG_RUNTIME_DIR": str(tmp_path)}, cards / "none") == "none"  # a dead server's socket


async def test_a_programs_output_and_its_deadline(tmp_path: Path) -> None:
    assert await output(("sh", "-c", "echo yes; cat"), 5) == "yes\n"
    assert await output(("sh", "-c", "echo no; exit 3"), 5) is None
    assert await output(("no-such-program-here",), 5) is None
    begun = time.monotonic()
    assert await output(("sh", "-c", f"sleep 30 & echo $! > {tmp_path}/pid; wait"), 0.3) is None
    assert time.monotonic() - begun < 2
    started = Path("/proc", (tmp_path / "pid").read_text().strip())
    until(lambda: not alive(started))  # what it started has ended too


@pytest.mark.skipif(sys.platform == "win32", reason="there are no launchers that are scripts")
async def test_a_program_that_hangs_dies_with_ours(tmp_path: Path) -> None:
    """Ours is killed by force; a launcher and the browser that it has started are gone soon after."""
    folder = tree(tmp_path, {"browser": "sleep 60 & echo $$ $! > pids.new; mv pids.new pids; wait"})
    asks = "import asyncio; from media_check.computer_part import output; asyncio.run(output(('sh', 'browser'), 50))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", asks, cwd=folder, env=child.environment()
    )
    until(lambda: (folder / "pids").exists())
    started = [Path("/proc", pid) for pid in (folder / "pids").read_text().split()]
    assert all(map(alive, started))
    child.kill(process)
    await process.wait()
    begun = time.monotonic()
    until(lambda: not any(map(alive, started)))
    assert time.monotonic() - begun < 2.0


def alive(process: Path) -> bool:
    return ") Z" not in (text(process / "stat") or ") Z")
