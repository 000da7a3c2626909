"""The child of the speaker check: plays the sweep, listens meanwhile, and says numbers and words.

Samples exist in this process's memory only, for as long as it lives. What it says, one JSON object a line:

    {"playing": seconds}                                          it has begun, and how long it will last
    {"failed": code, "detail": …}                                 the speaker; nothing more comes
    {"deaf": code}                                                no microphone could tell
    {"heard": bool, "delay": s | null, "loss": dB | null, "muted": bool | null}
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from media_check.sound_child import LATENCY_S, LOST_S, Ear, opened
from media_check.sound_device import FIRST_SOUND_S, RATE, SoundFailure, explained, find, library, muted
from processes import child
from processes.child import Say

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

KIND = "speaker"
LEAD_S = 0.3  # silence first: queues fill, and what sleeps wakes
LONGEST_DELAY_S = 1.0  # Bluetooth takes up to 0.4 s, and each of the two queues LATENCY_S
STALLED_S = 1.0
EACH_S = 0.02
FADE_S = 0.03  # to silence, of what is broken off


@dataclass(slots=True)
class Mouth:
    """The open speaker. PortAudio's thread takes `sound` (n,), from `at` on; then silence."""

    sound: NDArray[np.float32]
    rate: int
    stream: Any = None
    at: int = 0
    asked: list[float] = field(default_factory=list)  # when each block was asked for, by time.monotonic()
    begins: list[int] = field(default_factory=list)  # and its first sample's place in `sound`
    hushed: bool = False

    def give(self, block: NDArray[np.float32]) -> None:
        """Fill a block (n, channels)."""
        self.asked.append(time.monotonic())
        self.begins.append(self.at)
        part = self.sound[self.at : self.at + len(block)]
        block[:] = 0
        block[: len(part)] = part[:, None]
        self.at += len(block)

    def hush(self) -> None:
        """Fade out now. What would have come after it is overwritten."""
        import numpy as np

        if self.hushed:
            return
        self.hushed, end = True, self.at + round(FADE_S * self.rate)
        fading = self.sound[self.at : end]
        fading *= np.linspace(1, 0, len(fading), dtype=np.float32)
        self.sound[end:] = 0
        self.sound = self.sound[:end]

    def close(self) -> None:
        """At once; and what was played is overwritten."""
        if self.stream is not None:
            self.stream.abort()
            self.stream.close()
        self.sound[:] = 0


def speak(sounddevice: Any, handle: str, make: Callable[[int], NDArray[np.float32]]) -> Mouth:
    """Playing has begun: silence, then what `make` gives at a rate (Hz), which is overwritten when it has been copied.

    SoundFailure: the speaker cannot be opened, and why; nothing is left of the sound then.
    """
    import numpy as np

    number = find(sounddevice, KIND, handle)
    usual = sounddevice.query_devices(number)
    mouth: Mouth | None = None
    try:
        rate, channels = _form(sounddevice, number, usual)
        made = make(rate)
        mouth = Mouth(np.concatenate([np.zeros(round(LEAD_S * rate), np.float32), made]), rate)
        made[:] = 0
        mouth.stream = sounddevice.OutputStream(
            rate, 0, number, channels, "float32", LATENCY_S,
            callback=lambda block, _frames, _times, _status: mouth.give(block),
        )  # fmt: skip
        mouth.stream.start()
    except sounddevice.PortAudioError as error:
        if mouth is not None:
            mouth.close()
        raise explained(KIND, handle, error) from None
    return mouth


def _form(sounddevice: Any, number: int, usual: Any) -> tuple[int, int]:
    """Rate and channels: 48 kHz in both ears, else what the device itself has."""
    own = int(usual["default_samplerate"]), int(usual["max_output_channels"])
    for rate, channels in ((RATE, min(2, own[1])), (own[0], min(2, own[1]))):
        try:
            sounddevice.check_output_settings(number, channels, "float32", None, rate)
        except sounddevice.PortAudioError:
            continue
        return rate, channels
    return own


def aligned(ear: Ear, mouth: Mouth) -> NDArray[np.float32]:
    """What the microphone gave from the moment on when the speaker took the sweep's first sample.

    Each is a line of samples by this computer's clock: the median, for single blocks are late on a busy computer.
    """
    import numpy as np

    taken = np.cumsum([len(block) for block in ear.blocks])
    came = float(np.median(np.array(ear.arrived) - taken / ear.rate))
    went = float(np.median(_steady(mouth)))
    start = round((went + LEAD_S - came) * ear.rate)
    samples = np.concatenate(ear.blocks)
    return samples[start:] if start >= 0 else np.concatenate([np.zeros(-start, np.float32), samples])


def _steady(mouth: Mouth) -> NDArray[np.float64]:
    """When the first sample would have been asked for, by each block of the sweep; the first ones only fill a queue."""
    import numpy as np

    lines = np.array(mouth.asked) - np.array(mouth.begins) / mouth.rate
    kept = (np.array(mouth.begins) >= LEAD_S / 2 * mouth.rate) & (np.array(mouth.begins) < len(mouth.sound))
    return lines[kept] if kept.any() else lines


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(EACH_S)
    return done()


def hear(sounddevice: Any, handle: str | None) -> Ear:
    """An ear to which sound comes already. SoundFailure: there is none."""
    if handle is None:
        raise SoundFailure("microphone_none")
    ear = opened(sounddevice, handle)
    if not _wait(lambda: bool(ear.arrived), FIRST_SOUND_S):
        raise explained("microphone", handle, SoundFailure("microphone_silent"))
    return ear


def played(mouth: Mouth, handle: str, each: Callable[[], None] = lambda: None) -> None:
    """Wait until all has been taken. SoundFailure: the speaker stopped taking it. `each`: done while it goes on."""
    while mouth.at < len(mouth.sound):
        each()
        before = mouth.at
        if not _wait(lambda before=before: mouth.at > before, STALLED_S):  # type: ignore[misc]
            raise explained(KIND, handle, SoundFailure("speaker_vanished" if before else "speaker_busy"))


def work(first: dict[str, Any], say: Say) -> None:
    """`speaker` and `microphone`: handles; the second may be null."""
    from media_check.echo import sweep

    try:
        ear, deaf = _ear(first["microphone"])
        mouth = speak(library(), first["speaker"], sweep)
        say({"playing": len(mouth.sound) / mouth.rate})
        played(mouth, first["speaker"])
        off = muted(KIND, first["speaker"])
    except SoundFailure as failure:
        say({"failed": failure.code, "detail": failure.detail})
        return
    if ear is not None:
        time.sleep(LONGEST_DELAY_S)
        ear.ended = time.monotonic()
        deaf = _deaf(ear)
    say({"deaf": deaf} if ear is None or deaf else _told(ear, mouth, off))


def _ear(handle: str | None) -> tuple[Ear | None, str | None]:
    """A microphone, or why there is none: the speaker is played all the same, for its user to hear."""
    sounddevice = library()
    try:
        return hear(sounddevice, handle), None
    except SoundFailure as failure:
        return None, failure.code


def _deaf(ear: Ear) -> str | None:
    """It ended meanwhile, or gives exact zeros, as one that is switched off."""
    assert ear.ended is not None
    if ear.ended - ear.arrived[-1] > LOST_S:
        return "microphone_vanished"
    return None if any(block.any() for block in ear.blocks) else "microphone_silent"


def _told(ear: Ear, mouth: Mouth, off: bool | None) -> child.Line:
    from media_check.echo import NOTHING, heard, sweep

    sent, back = sweep(ear.rate), aligned(ear, mouth)
    echo = heard(sent, back, ear.rate) if len(back) > len(sent) else NOTHING
    return {"heard": echo.heard, "delay": echo.delay_seconds, "loss": echo.return_loss_db, "muted": off}


if __name__ == "__main__":
    child.run(work)
