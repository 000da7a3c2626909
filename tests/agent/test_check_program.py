"""`motesklar check` as a person or a script runs it: a document, an exit code, and an end whatever happens."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    done = run(tmp_path, "check", "--seconds", 1, "--lang", "en", "--raw", "raw.jsonl")
    assert done.returncode == 30, "a network that was not tested is unknown, not ready"
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


def started_measuring(tmp_path: Path, *arguments: object) -> "subprocess.Popen[str]":
    program = start(tmp_path, *arguments)
    time.sleep(2.2)
    assert program.poll() is None
    return program


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle(tmp_path: Path, number: signal.Signals) -> None:
    program = started_measuring(tmp_path, *EMBEDDED, "--seconds", 30, "--json")
    program.send_signal(number)
    begun = time.monotonic()
    out, err = program.communicate(timeout=10)
    assert time.monotonic() - begun < 3
    assert err == ""
    found = json.loads(out)
    VALIDATOR.validate(found)
    assert found["interrupted"] is True
    assert VERDICTS[program.returncode] == found["verdict"]["level"]
    (echo,) = [m for m in found["measurements"] if m["name"] == "echo"]
    assert 0 < echo["values"]["packets_sent"] < 3000


@POSIX
def test_interrupted_twice(tmp_path: Path) -> None:
    program = started_measuring(tmp_path, *EMBEDDED, "--seconds", 30, "--json")
    program.send_signal(signal.SIGINT)
    time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, err = program.communicate(timeout=10)
    assert time.monotonic() - begun < 3
    assert (program.returncode, out) == (130, "")
    assert err == "motesklar: stopped\n"


@POSIX
def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    program = start(tmp_path, *EMBEDDED, "--seconds", 1, "--json")
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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
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
    done = run(tmp_path, "check", "--room", room, "--seconds", 1, "--json", prefix=UNSHARE)
    found = document(done)
    assert done.returncode in (20, 30)
    (first, *_) = [f for f in found["verdict"]["findings"] if f["rule"] == "link"] or found["verdict"]["findings"]
    assert first["text"]["en"]
    assert "cable" in json.dumps(found["verdict"])
