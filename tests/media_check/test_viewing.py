"""A camera that is viewed: the real processes with a camera that a test holds (camera_double.py)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import cv2
import numpy as np
import pytest

from media_check import camera, viewing
from processes import child
from tests.media_check import camera_double
from tests.media_check.camera_double import Camera
from tests.media_check.viewed import Viewed, failure, picture, processes_of, viewed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the double is a file beneath /dev")
STUTTER_S = 0.5


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Camera]:
    """A camera that a test holds."""
    with camera_double.cameras("Annas kamera") as made:
        camera_double.put_in(monkeypatch, made)
        yield made[0]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Camera]]:
    """That may be viewed at the same time."""
    with camera_double.cameras(*("Annas kamera",) * 4) as made:
        camera_double.put_in(monkeypatch, made)
        yield made


async def test_it_is_shown_and_judged_until_the_person_is_content(held: Camera):
    """A hand before the lens, which is taken away."""
    held.shows("covered")
    given = viewed(held.handle, seconds=3.0)  # which are over long before the end
    running = asyncio.create_task(given.whole())
    assert await given.hint("covered") < 4.5
    held.shows("good")
    assert await given.hint("good") < 5.5  # two judgements: the first one may have seen some of both
    given.until.set()
    asked = time.monotonic()
    draft = await running
    assert time.monotonic() - asked < 0.5
    assert draft.failure is None
    assert (draft.facts["camera_picture"], draft.facts["mode"]) == ("good", "1280x720 MJPG")
    assert draft.values["camera_frames_per_second"] == pytest.approx(30, abs=2)
    assert [step.what for step in given.steps] == ["opening", "watching"]
    assert draft.duration_s > 3.0
    _live(given)
    assert processes_of(held.handle) == []


def _live(given: Viewed) -> None:
    """10 to 15 pictures a second, none of them late, each of them as it should be; a hint every two seconds."""
    lasted = given.times[-1] - given.times[0]
    assert 10 <= (len(given.times) - 1) / lasted <= 15.5
    assert max(after - before for before, after in pairwise(given.times)) < STUTTER_S
    assert {picture(data).shape for data in given.frames[::10]} == {(360, 640, 3)}
    assert len(given.hints) == pytest.approx(lasted / 2, abs=1.5)
    for data, label in ((given.frames[3], "covered"), (given.frames[-1], "good")):
        held = picture(camera_double.packed(label)[0])
        wanted = cv2.resize(held, (640, 360), interpolation=cv2.INTER_AREA)
        assert np.abs(picture(data).astype(float) - wanted).mean() < 8  # with another moment's grain


async def test_content_at_once_there_is_one_whole_judgement_still(held: Camera):
    held.shows("good", "frozen")
    given = viewed(held.handle)
    given.until.set()
    draft = await given.whole()
    assert draft.failure is None
    assert draft.values["camera_frozen_ratio"] == 1
    assert len(given.hints) == 1
    assert time.monotonic() < given.errand.deadline


async def test_cameras_that_do_not_begin(four: list[Camera]):
    """`seconds` of the deadline: what hangs is given up then, the others say what it is by themselves."""

    async def begun(camera: Camera, state: str, seconds: float) -> tuple[str, str]:
        camera.shows(state=state)
        given = viewed(camera.handle, seconds)
        draft = await given.whole()
        assert time.monotonic() < given.errand.deadline
        assert (given.frames, given.hints) == ([], [])
        return failure(draft)

    rows = {
        ("forbidden", 6.0): ("camera_forbidden", "opening"),
        ("silent", 6.0): ("camera_silent", "frames"),
        ("hangs", 3.5): ("camera_silent", "opening"),
    }
    assert await asyncio.gather(*(begun(one, *row) for one, row in zip(four, rows, strict=False))) == [*rows.values()]
    assert processes_of(four[0].handle) == []


async def test_cameras_that_end_in_the_middle(four: list[Camera]):
    """Within 2 s of being unplugged; a process that hangs is killed."""

    async def ended(camera: Camera, ends: Callable[[], object], seconds: float) -> str:
        given = viewed(camera.handle)
        running = asyncio.create_task(given.whole())
        await given.some(5)
        ends()
        pulled = time.monotonic()
        draft = await running
        assert time.monotonic() - pulled < seconds
        assert "camera_open_seconds" in draft.values
        code, step = failure(draft)
        assert step == "frames"
        return code

    def replaced() -> None:
        """Another one is plugged in, which is there and gives the viewing nothing."""
        four[3].vanishes()
        four[3].shows()

    rows = [
        (four[0].vanishes, 2.0, "camera_vanished"),
        (lambda: four[1].shows(state="silent"), 2.6, "camera_silent"),
        (lambda: four[2].shows(state="hangs"), 4.0, "camera_silent"),
        (replaced, 2.6, "camera_silent"),
    ]
    codes = await asyncio.gather(*(ended(one, row[0], row[1]) for one, row in zip(four, rows, strict=True)))
    assert codes == [code for _, _, code in rows]
    assert processes_of(four[0].handle) == []


async def test_stopped_before_it_is_judged(held: Camera):
    given = viewed(held.handle)
    running = asyncio.create_task(given.whole())
    await given.some(3)
    given.errand.stop.set()
    asked = time.monotonic()
    assert failure(await running) == ("interrupted", "frames")
    assert time.monotonic() - asked < 1
    assert processes_of(held.handle) == []


async def test_without_a_camera():
    given = viewed("")
    given.errand.devices = ()
    draft = await given.whole()
    assert (draft.subject, failure(draft)) == ("camera", ("camera_none", "camera"))


async def test_another_program_has_it(four: list[Camera]):
    """Told by the viewing and by the check itself; and of what kind that program is, not which."""

    async def busy(held: Camera, program: str, kind: str) -> None:
        with held.held_by(program):
            given = viewed(held.handle)
            for draft in await asyncio.gather(given.whole(), camera.check(given.errand)):
                assert failure(draft) == ("camera_busy", "opening")
                assert draft.facts["held_by"] == kind
                assert program not in repr(draft)

    rows = [("firefox", "browser"), ("ms-teams", "meeting"), ("cheese", "other")]
    await asyncio.gather(*(busy(one, *row) for one, row in zip(four, rows, strict=False)))


# ---- its process --------------------------------------------------------------------------------------------------


def test_it_ends_with_its_parent(held: Camera):
    """Which is killed, and can end nothing itself."""
    words = [*child.command("tests.media_check.viewer"), held.handle, "60"]
    with subprocess.Popen(words, env=child.environment(), stdout=subprocess.PIPE, text=True) as viewer:
        assert viewer.stdout is not None
        assert viewer.stdout.readline() == "frame\n"
        assert len(processes_of(held.handle)) == 1
        viewer.send_signal(signal.SIGKILL)
        viewer.wait(5)
    until = time.monotonic() + 2
    while processes_of(held.handle) and time.monotonic() < until:
        time.sleep(0.02)
    assert processes_of(held.handle) == []


@pytest.mark.parametrize(
    ("word", "stopped", "content"),
    [
        ("good", None, None),  # the last judgement stands
        ("", ("interrupted", "frames"), ("timeout", "looking")),
    ],
)
async def test_how_it_ends(
    monkeypatch: pytest.MonkeyPatch, word: str, stopped: tuple[str, str] | None, content: tuple[str, str] | None
):
    """Long after the errand's deadline, and for one that is never judged not too long after the person is content."""
    monkeypatch.setattr(viewing, "COMMAND", (*child.command("tests.media_check.odd_camera"), f"views:{word}"))
    monkeypatch.setattr(viewing, "FIRST_S", 0.5)

    async def ended(given: Viewed, end: asyncio.Event) -> tuple[str, str] | None:
        running = asyncio.create_task(given.whole())
        await asyncio.sleep(2.2)
        end.set()
        asked = time.monotonic()
        draft = await running
        assert time.monotonic() - asked < 1.5
        assert draft.facts.get("camera_picture", "") == word
        assert len(given.hints) == bool(word)
        return failure(draft) if draft.failure else None

    one, other = viewed("/dev/null", 2.0), viewed("/dev/null", 2.0)
    both = await asyncio.gather(ended(one, one.errand.stop), ended(other, other.until))
    assert both == [stopped, content]


async def test_one_that_breaks_is_a_defect(held: Camera, monkeypatch: pytest.MonkeyPatch):
    """Also in a thread of it."""
    breaks = (
        "from media_check import viewing_child as v; v.packed = lambda _: 1 / 0;"
        "import cv2, tests.media_check.camera_double as d; from media_check import camera_modes;"
        "cv2.VideoCapture, camera_modes.asking = d.VideoCapture, d.asking;"
        "v.run(v.work)"
    )
    monkeypatch.setattr(viewing, "COMMAND", (sys.executable, "-P", "-W", "ignore", "-c", breaks))
    with pytest.raises(RuntimeError, match="camera"):
        await viewed(held.handle).whole()


def test_the_child_is_the_real_one():
    assert child.command("media_check.viewing_child") == viewing.COMMAND
