"""viewing: what the others in the meeting would see of this computer's camera, shown live until the person is content.

The camera is watched in a process of its own (media_check.viewing_child), which is killed when it hangs and at the end.
Pictures go from its memory through a pipe to this process, and to whoever is given them; nothing is written or kept.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from media_check import camera
from media_check.camera import END_S, FAILURES, NAMES, Said
from media_check.errand import Errand, Step
from processes import child
from reports.draft import Draft, ProbeFailure, drafting
from reports.record import Device

COMMAND = child.command("media_check.viewing_child")
HANGS_S = 3.0  # without a sign of life, of a camera that is there: judging may keep a slow computer busy for a while
FIRST_S = 4.0  # for the first judgement, when the person is content sooner
LINE_MOST = 1 << 20  # octets: a picture's, which has a tenth of it

Frame = Callable[[bytes], None]
Seen = Callable[[Draft], None]


async def view(errand: Errand, frame: Frame, seen: Seen, until: asyncio.Event) -> Draft:
    """Show the errand's camera and judge it again and again, until `until` or the errand's stop is set.

    `frame` gets a JPEG, the longer side at most 640 pixels, 10 to 15 times a second; `seen` each judgement of the last
    2.2 s, some 2 s apart, as the camera check's draft. The last one of them is returned: there is one whole judgement
    at least, unless the camera fails, or the stop comes first. The errand's deadline holds for the first frame only.
    """
    device = errand.device("camera")
    with drafting("camera", device.label if device else "camera", FAILURES, NAMES) as m:
        await _Viewing(errand, errand.needed("camera"), frame, seen, until).run(m)
    m.leave_open(NAMES, "the pictures do not tell it")
    return m


@dataclass(slots=True)
class _Viewing:
    """`judged`: how often. `content_at`: when `until` was seen to be set (time.monotonic())."""

    errand: Errand
    device: Device
    frame: Frame
    seen: Seen
    until: asyncio.Event
    said: Said = field(default_factory=Said)
    last: Mapping[str, Any] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    content_at: float | None = None

    async def run(self, m: Draft) -> None:
        """ProbeFailure: it did not go well."""
        self.errand.progress(Step("camera", "opening"))
        await camera.follow(COMMAND, self.errand.stop, self._listen, self._left, LINE_MOST)
        self._fill(m)
        if (failure := self._failure()) is not None:
            raise failure

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        await child.tell(process, {"handle": self.device.handle})
        async for line in child.lines(process):
            self._take(line)
        self.said.ended(process.returncode or 0)

    def _take(self, line: Mapping[str, Any]) -> None:
        stage = self.said.stage
        self.said.take(line)
        if self.said.stage == "frames" != stage:
            self.errand.progress(Step("camera", "watching"))
        if "jpeg" in line:
            self.frame(base64.b64decode(line["jpeg"]))
        if "judged" in line:
            self.last = line["judged"]
            self.seen(self._hint())

    def _hint(self) -> Draft:
        """The newest judgement, as the camera check would tell it."""
        hint = Draft("camera", self.device.label, time.time(), time.monotonic() - self.begun)
        self._fill(hint)
        hint.leave_open(NAMES, "the pictures do not tell it")
        return hint

    def _fill(self, m: Draft) -> None:
        m.values |= self.said.values | self.last.get("values", {})
        m.unknown |= self.said.unknown | self.last.get("unknown", {})
        m.facts |= self.said.facts | camera.facts(self.last)

    def _left(self) -> float:
        """Seconds that the child still has."""
        now = time.monotonic()
        if not self.said.flowing:
            return self.errand.deadline - END_S - now
        if not self.until.is_set():
            return self._patience()
        self.content_at = self.content_at or now
        return 0.0 if self.last else min(self._patience(), self.content_at + FIRST_S - now)

    def _patience(self) -> float:
        """Of them, those that it may go on to be silent."""
        left = self.said.patience()
        return left if left > 0 or camera.is_gone(self.device) else left + HANGS_S - camera.STALL_S

    def _failure(self) -> ProbeFailure | None:
        """Why there is no judgement, or the camera failed after one."""
        failure = camera.why(self.errand, self.device, self.said)
        if self.said.failed is not None or self.said.broken or not self.said.flowing:
            return failure
        if self._patience() <= 0 and not self.errand.stop.is_set():
            return failure
        if self.last:
            return None
        return failure if self.errand.stop.is_set() else ProbeFailure("timeout", step="looking")
