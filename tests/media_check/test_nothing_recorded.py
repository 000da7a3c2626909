"""Nothing of what a camera and a microphone give is kept or sent on: the whole device check under strace.

The pictures and the sound are known (marked.py), each system call of each process that could carry them is judged
(nothing_recorded.py). That the judge sees what it must is in test_nothing_recorded_judge.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media_check.echo import sweep
from tests.agent.program import command, document
from tests.media_check import marked, pulse, said, strace, traced
from tests.media_check.nothing_recorded import CAMERA, CHECKING, MICROPHONE, SPEAKER, Judge, Place
from tests.media_check.strace import Act
from tests.media_check.traced import heard, marks, own
from tests.media_check.voices import ESPEAK

ENDS_WITHIN_S = 50
DEVICES = ("camera", "microphone", "speaker")
CHECKS = ",".join(("equipment", *DEVICES, "computer"))
FRAME_BYTES = marked.HEIGHT * marked.WIDTH * 3
TENTH_BYTES = pulse.RATE // 10 * 4  # of a second of sound, as it is captured


@dataclass(frozen=True)
class Checked:
    """One traced run: what it printed, what it did, and what it left."""

    done: subprocess.CompletedProcess[str]
    report: dict[str, Any]
    acts: tuple[Act, ...]
    place: Place

    def measured(self, name: str) -> Any:
        (found,) = [m for m in self.report["measurements"] if m["name"] == name]
        return found


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """`motesklar check` of all devices: a marked camera, and a real sound server with a known voice in the room."""
    if pulse.PROGRAM is None or ESPEAK is None:
        pytest.skip("pulseaudio or espeak-ng is not installed")
    folder = traced.prepare(tmp_path_factory.mktemp("whole"))
    with pulse.running() as server:
        server.speaker("room")
        server.microphone("mic", "room")
        server.defaults(source="mic", sink="room")
        place = traced.place(folder, server.server)
        with server.playing("room", heard()):
            for name in ("first", "again"):  # once more when this computer was too busy for the check's deadlines
                found = _run(folder, folder / name, place)
                if not any((found.measured(kind)["failure"] or {}).get("code") == "timeout" for kind in DEVICES):
                    break
        yield found


def _run(folder: Path, traces: Path, place: Place) -> Checked:
    traces.mkdir()
    done = subprocess.run(
        [*strace.prefix(traces), *command("check", "--json", "--seconds", 1, "--only", CHECKS)],
        env=traced.surroundings(folder, PULSE_SERVER=f"unix:{place.server}"), cwd=folder / "home", text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=ENDS_WITHIN_S,
    )  # fmt: skip
    return Checked(done, document(done), tuple(strace.acts(strace.read(traces))), place)


def test_nothing_is_kept_or_sent_on(checked: Checked) -> None:
    judge = Judge(checked.place, marks(), own())
    assert judge.judge(checked.acts) == []
    assert 0 < judge.left(CAMERA) < FRAME_BYTES / 1000
    assert 0 < judge.left(MICROPHONE) < TENTH_BYTES
    assert 0 < judge.left(SPEAKER) < TENTH_BYTES
    assert judge.played >= sweep(pulse.RATE).nbytes * 2  # the judge reads what is sent, and knows the sweep again


def test_it_was_captured_and_all_was_seen(checked: Checked) -> None:
    """Without this, a check that opens nothing would record nothing."""
    assert {*CHECKING, "agent", "media_check.devices.child", "media_check.computer_child"} <= {
        act.role for act in checked.acts
    }
    camera, microphone, speaker = (checked.measured(name) for name in DEVICES)
    assert [m["failure"] for m in (camera, microphone, speaker)] == [None, None, None]
    assert camera["values"]["camera_brightness_ratio"] == pytest.approx(marked.picture().mean() / 255, abs=0.03)
    assert camera["facts"]["mode"] == "1280x720 MJPG"
    assert microphone["facts"]["exact_zeros"] is False
    assert microphone["values"]["sound_peak_dbfs"] > -40
    assert speaker["facts"]["speaker_sound"] != "not_played"


def test_the_report_and_the_log_hold_none(checked: Checked) -> None:
    for printed in (checked.done.stdout, checked.done.stderr):
        assert said.text_trouble(printed.encode()) is None
    assert marked.NAME not in checked.done.stderr


def test_what_it_leaves_holds_none(checked: Checked) -> None:
    """JACK's table is in shared memory, where no system call tells what is written."""
    left = [file for top in (checked.place.home, checked.place.temporary) for file in Path(top).rglob("*")]
    left = [file for file in left if file.is_file()]
    assert {file.name for file in left} <= {"cookie", "check.lock", "test.lock"}
    tables = [file for file in Path("/dev/shm").glob("jack_db-*/*") if file.is_file()]
    for file in [*left, *tables]:
        data = file.read_bytes().replace(bytes(64), b"")
        assert not any(marked.holds(data, blocks) for blocks in marks().values()), file
