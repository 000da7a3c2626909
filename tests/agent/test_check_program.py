"""`motesklar check` as a person or a script runs it: a document, an exit code, and an end whatever happens."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from testroom.server import RoomSettings, TestRoom
from tests.agent.program import ADDRESS, VALIDATOR, VERDICTS, command, document, environment, run, start

EMBEDDED = ("check", "--room", "embedded", "--no-devices")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def test_the_first_promise(tmp_path: Path) -> None:
    done = run(tmp_path, *EMBEDDED, "--seconds", 3, "--json")
    found = document(done)
    assert done.returncode in (0, 10, 30)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert (found["room"], found["interrupted"]) == ("embedded", False)
    (echo,) = [m for m in found["measurements"] if m["name"] == "echo"]
    assert echo["failure"] is None
    assert echo["values"]["packets_sent"] > 300
    assert echo["values"]["loss_ratio"] <= 0.01
    assert 0 < echo["values"]["rtt_p50_seconds"] < 0.05
    (room,) = [f for f in found["verdict"]["findings"] if f["rule"] == "room"]
    assert room["level"] == "unknown"
    assert "" != room["text"]["sv"] != room["text"]["en"]
    for part in ("links", "measurements", "verdict"):
        assert not ADDRESS.search(json.dumps(found[part])), part


def test_without_a_room_only_this_computer_is_judged_and_that_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, "check", "--no-devices", "--seconds", 1, "--lang", "en", "--raw", "raw.jsonl")
    assert done.returncode == 30, "a network that was not tested is unknown, not ready"
    first = next(line for line in done.stderr.splitlines() if line.startswith("loopback: "))
    assert re.fullmatch(r"loopback: the test room answers \(\d+ of \d+ packets so far\)\.", first)
    assert "computer" in done.stdout + done.stderr
    trips = [json.loads(line) for line in (tmp_path / "raw.jsonl").read_text("utf-8").splitlines()]
    assert len(trips) > 100
    assert {trip["link"] for trip in trips} == {"loopback"}
    assert all(0 < trip["sent_ns"] < trip["received_ns"] for trip in trips if trip["copies"])


def test_links_with_addresses(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "links", "--json", "--addresses").stdout)
    hidden = json.loads(run(tmp_path, "links", "--json").stdout)
    assert found["schema"] == hidden["schema"] == "motesklar.links/1"
    assert not ADDRESS.search(json.dumps(hidden))
    assert not any(link["addresses"] or link["resolvers"] for link in hidden["links"])
    if not any(link["usable"] for link in found["links"]):
        pytest.skip("this computer has no usable link")
    assert ADDRESS.search(json.dumps(found["links"]))


@asynccontextmanager
async def measuring(home: Path) -> AsyncIterator["subprocess.Popen[str]"]:
    """A `check` of 30 seconds that is in its midst: the room has seen two hundred of its packets."""
    async with TestRoom(RoomSettings()) as room:
        program = start(home, "check", "--no-devices", "--room", room.url, "--seconds", 30, "--json")
        try:
            async with asyncio.timeout(20):
                while not any(s.tally.received > 200 for s in room.sessions.by_ssid.values()):
                    assert program.poll() is None
                    await asyncio.sleep(0.05)
            yield program
        finally:
            program.kill()
            program.communicate()


async def ended(program: "subprocess.Popen[str]") -> tuple[str, str]:
    """What it printed, if it ends within three seconds."""
    return await asyncio.to_thread(program.communicate, timeout=3)


@POSIX
async def test_interrupted_in_the_middle(tmp_path: Path) -> None:
    async with measuring(tmp_path) as program:
        program.send_signal(signal.SIGINT)
        out, err = await ended(program)
    assert err == ""
    found = json.loads(out)
    VALIDATOR.validate(found)
    assert found["interrupted"] is True
    assert VERDICTS[program.returncode] == found["verdict"]["level"]
    (echo,) = [m for m in found["measurements"] if m["name"] == "echo"]
    assert 200 < echo["values"]["packets_sent"] < 3000
    assert echo["facts"]["interrupted"] is True


@POSIX
async def test_interrupted_twice(tmp_path: Path) -> None:
    async with measuring(tmp_path) as program:
        program.send_signal(signal.SIGINT)
        await asyncio.sleep(0.05)
        program.send_signal(signal.SIGINT)
        out, err = await ended(program)
    assert (program.returncode, out, err) == (130, "", "motesklar: stopped\n")


@POSIX
def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    program = start(tmp_path, "links", "--json")
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(10) == 130


@POSIX
def test_a_reader_of_one_character(tmp_path: Path) -> None:
    line = " ".join([*command("links", "--json"), "|", "head", "-c", "1"])
    done = subprocess.run(line, shell=True, env=environment(tmp_path), cwd=tmp_path, capture_output=True, timeout=20)
    assert (done.stdout, done.stderr) == (b"{", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing(tmp_path: Path) -> None:
    line = " ".join([*command("links", "--json"), ">/dev/full"])
    done = subprocess.run(line, shell=True, env=environment(tmp_path), cwd=tmp_path, capture_output=True, timeout=20)
    assert done.returncode == 2
    (message,) = done.stderr.decode().splitlines()
    assert "cannot write" in message


UNSHARE = ("unshare", "-Urn", "--")


def no_namespaces() -> bool:
    return shutil.which("unshare") is None or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0


@pytest.mark.skipif(no_namespaces(), reason="needs unprivileged user namespaces")
@pytest.mark.parametrize("room", ["embedded", "https://192.0.2.1"])
def test_no_links_at_all(tmp_path: Path, room: str) -> None:
    """Even loopback is down: the verdict says what to do, and it is never "ready"."""
    done = run(tmp_path, "check", "--no-devices", "--room", room, "--seconds", 1, "--json", prefix=UNSHARE)
    found = document(done)
    assert done.returncode in (20, 30)
    (first, *_) = [f for f in found["verdict"]["findings"] if f["rule"] == "link"] or found["verdict"]["findings"]
    assert first["text"]["en"]
    assert "cable" in json.dumps(found["verdict"])
