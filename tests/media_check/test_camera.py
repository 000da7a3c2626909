"""The camera check when the camera's process hangs, dies or says no; the real one with what is no camera."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from media_check import camera
from media_check.camera import NAMES
from media_check.errand import Errand, Step
from processes import child
from reports.draft import Draft
from reports.record import Device
from reports.vocabulary import FAILURES

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="device nodes")
ODD = "tests.media_check.odd_camera"


def errand(handle: str | None = "/dev/null", seconds: float = 6.0) -> Errand:
    """With one camera of this handle, or none."""
    one = Device("camera", "Annas kamera", "USB camera", "usb", 0.9, ("bus usb",), None, handle or "")
    return Errand((one,) if handle else (), time.monotonic() + seconds, asyncio.Event())


async def checked(given: Errand) -> Draft:
    """In time; each value is known, or unknown with a reason; no person's name in it."""
    draft = await camera.check(given)
    assert time.monotonic() < given.deadline
    measurement = draft.measurement()
    assert set(measurement.values) | set(measurement.unknown) == set(NAMES)
    assert not set(measurement.values) & set(measurement.unknown)
    assert "Anna" not in repr(measurement)
    assert "/dev/" not in repr(measurement)
    return draft


def goes_wrong(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(camera, "COMMAND", (*child.command(ODD), how))


def failure(draft: Draft) -> tuple[str, str]:
    assert draft.failure is not None
    return draft.failure.code, draft.failure.step


async def test_without_a_camera():
    draft = await checked(errand(None))
    assert draft.subject == "camera"
    assert failure(draft) == ("camera_none", "camera")


SAYS = ["camera_busy", "camera_forbidden", "camera_silent", "camera_vanished", "device_library_missing"]


@pytest.mark.parametrize("code", SAYS)
async def test_what_the_process_says_is_the_failure(code: str, monkeypatch: pytest.MonkeyPatch):
    goes_wrong(monkeypatch, f"fails:{code}")
    draft = await checked(errand())
    assert failure(draft) == (code, "opening")
    assert draft.subject == "USB camera"
    assert set(draft.unknown.values()) == {FAILURES[code]}


@pytest.mark.parametrize(
    ("how", "step", "codes"),
    [
        ("start", "starting", {"/dev/null": "timeout"}),
        (
            "opening",
            "opening",
            {"/dev/null": "camera_silent", "/dev/not-there": "camera_vanished", "msmf:0": "camera_silent"},
        ),
        ("looking", "looking", {"/dev/null": "timeout"}),
    ],
)
async def test_a_process_that_hangs_is_killed_at_the_deadline(
    how: str, step: str, codes: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    goes_wrong(monkeypatch, how)
    drafts = await asyncio.gather(*(checked(errand(handle, 1.5)) for handle in codes))
    assert [failure(draft) for draft in drafts] == [(code, step) for code in codes.values()]
    for draft in drafts:
        assert ("camera_frames_per_second" in draft.values) == (how == "looking")  # what is known stands


async def test_frames_that_stop_are_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    goes_wrong(monkeypatch, "frames")

    async def stopped(handle: str) -> str:
        given, heard = errand(handle, 8), list[float]()
        given.progress = lambda _: heard.append(time.monotonic())
        draft = await checked(given)
        assert time.monotonic() - heard[-1] < 2
        assert draft.values == {"camera_open_seconds": 0.1}
        code, step = failure(draft)
        assert step == "frames"
        return code

    codes = await asyncio.gather(*map(stopped, ("/dev/null", "/dev/not-there")))
    assert codes == ["camera_silent", "camera_vanished"]


async def test_a_process_that_dies_is_told_so(monkeypatch: pytest.MonkeyPatch):
    goes_wrong(monkeypatch, "die")
    draft = await checked(errand())
    assert failure(draft) == ("probe_broken", "frames")
    assert "signal 11" in draft.unknown["camera_black_ratio"]


async def test_a_process_that_breaks_is_a_defect(monkeypatch: pytest.MonkeyPatch):
    goes_wrong(monkeypatch, "break")
    with pytest.raises(RuntimeError, match="camera"):
        await camera.check(errand())


async def test_an_interrupt_ends_it(monkeypatch: pytest.MonkeyPatch):
    goes_wrong(monkeypatch, "frames")
    given = errand()
    heard: list[Step] = []
    given.progress = heard.append
    asyncio.get_running_loop().call_later(1.0, given.stop.set)
    draft = await checked(given)
    assert failure(draft)[0] == "interrupted"
    assert draft.duration_s < 1.5
    assert [heard[0].what, heard[-1].what] == ["opening", "watching"]


# ---- the real process ---------------------------------------------------------------------------------------------


@LINUX
@pytest.mark.parametrize(
    ("handle", "code"), [("/dev/null", "camera_silent"), ("/dev/video-not-there", "camera_vanished")]
)
async def test_what_is_no_camera(handle: str, code: str):
    assert failure(await checked(errand(handle, 15))) == (code, "opening")


async def test_without_opencv(monkeypatch: pytest.MonkeyPatch):
    hide = "import sys; sys.modules['cv2'] = None; from media_check import camera_child as c; c.run(c.work)"
    monkeypatch.setattr(camera, "COMMAND", (sys.executable, "-P", "-c", hide))
    draft = await checked(errand())
    assert failure(draft) == ("device_library_missing", "starting")
