"""The child of the microphone check: listens to microphones, and says numbers and words about what it heard.

Samples exist in this process's memory only, for as long as it lives. What it says, one JSON object a line, about the
microphone whose handle the line holds:

    {"handle": …, "level": 0–1}                                  ten times a second, from the first sound on
    {"handle": …, "silent": seconds}                             as often, before that: so long without any
    {"handle": …, "heard": {values, facts, unknown}, "faults": […]}
    {"handle": …, "failed": code, "detail": …}
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from media_check.sound_device import (
    FIRST_SOUND_S,
    LEVEL_EACH_S,
    RATE,
    SoundFailure,
    explained,
    find,
    library,
    muted,
)
from processes import child
from processes.child import Say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "microphone"
LATENCY_S = 0.2  # nothing is waiting for the sound, and a busy computer then loses none
SETTLES_S = 0.1  # many microphones begin with a click
LOOK_EACH_S = 1.0
LOST_S = 0.5  # without sound, after some came
SURE_RATE = 0.002  # standard error of the rate by the clock, at the most, for it to be told


@dataclass(slots=True)
class Ear:
    """One open microphone. PortAudio's thread appends; `arrived` is when each block came, by time.monotonic().

    `begun`, `ended`: the same clock, of listening.
    """

    handle: str
    rate: int = RATE
    stream: Any = None
    blocks: list[NDArray[np.float32]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    lost: bool = False
    said: int = 0
    begun: float = 0.0
    ended: float | None = None
    failure: SoundFailure | None = None

    def take(self, block: NDArray[np.float32], *, lost: bool) -> None:
        """A block of samples (n, 1). `lost`: the system says that some before it are missing."""
        if self.ended is not None:
            return
        self.arrived.append(time.monotonic())
        self.blocks.append(block[:, 0].copy())
        self.lost = self.lost or (lost and len(self.blocks) > 1)

    @property
    def seconds(self) -> float:
        """Sound taken so far."""
        return sum(map(len, self.blocks)) / self.rate

    def close(self) -> None:
        """No more is heard, and other programs may have it; what was taken stays."""
        self.ended = self.ended or time.monotonic()
        self.stream.abort()
        self.stream.close()

    def level(self) -> float:
        """Since the last time, for a page: 0 (faint) to 1 (full scale)."""
        import numpy as np

        from media_check.signal import meter

        new, self.said = self.blocks[self.said :], len(self.blocks)
        return meter(np.concatenate(new)) if new else 0.0


def opened(sounddevice: Any, handle: str) -> Ear:
    """Listening has begun. SoundFailure: it cannot be opened, and why."""
    ear = Ear(handle)
    number = find(sounddevice, KIND, handle)
    try:
        ear.rate = _rate(sounddevice, number)
        ear.stream = sounddevice.InputStream(
            ear.rate, 0, number, 1, "float32", LATENCY_S,
            callback=lambda block, _frames, _times, status: ear.take(block, lost=bool(status.input_overflow)),
            extra_settings=_settings(sounddevice),
        )  # fmt: skip
        ear.stream.start()
    except sounddevice.PortAudioError as error:
        raise explained(KIND, handle, error) from None
    return ear


def _rate(sounddevice: Any, number: int) -> int:
    """48 kHz, else what the device itself has."""
    with contextlib.suppress(sounddevice.PortAudioError):
        sounddevice.check_input_settings(number, 1, "float32", _settings(sounddevice), RATE)
        return RATE
    return int(sounddevice.query_devices(number)["default_samplerate"])


def _settings(sounddevice: Any) -> Any:
    """Windows' shared mode has one rate, which the user chose: let it convert."""
    return sounddevice.WasapiSettings(auto_convert=True) if sys.platform == "win32" else None


def listen_to(ears: list[Ear], seconds: float, limit: float, say: Say) -> None:
    """Wait until each has its seconds of sound, or gives none, or no more; `limit` seconds at the most."""
    begun = looked = time.monotonic()
    for ear in ears:
        ear.begun = begun
    while any(_waiting(ear, seconds) for ear in ears) and time.monotonic() - begun < limit:
        time.sleep(LEVEL_EACH_S)
        for ear in ears:
            say({"handle": ear.handle, **_sign(ear)})
        if time.monotonic() - looked > LOOK_EACH_S:
            _look(ears)
            looked = time.monotonic()
    for ear in ears:
        ear.ended = time.monotonic()


def _sign(ear: Ear) -> child.Line:
    """Of life."""
    return {"level": ear.level()} if ear.arrived else {"silent": time.monotonic() - ear.begun}


def _look(ears: list[Ear]) -> None:
    """Are they still there? A server goes on with another microphone's sound when one is unplugged."""
    for ear in ears:
        try:
            muted(KIND, ear.handle)
        except SoundFailure as failure:
            ear.failure = ear.failure or failure


def _waiting(ear: Ear, seconds: float) -> bool:
    now = time.monotonic()
    if ear.failure is not None:
        return False
    if not ear.arrived:
        return now - ear.begun < FIRST_SOUND_S
    return ear.seconds < seconds + SETTLES_S and now - ear.arrived[-1] < LOST_S


def judged(ear: Ear, *, attended: bool) -> child.Line:
    """What was heard. SoundFailure: nothing came, or it ended by itself."""
    import numpy as np

    from media_check.signal import listen

    _check(ear)
    off = ["muted"] if muted(KIND, ear.handle) else []
    samples = np.concatenate(ear.blocks)[round(SETTLES_S * ear.rate) :]
    heard = listen(samples, ear.rate, attended=attended, seconds=clock_seconds(ear, len(samples)))
    facts = dict(heard.facts) | {"rate_hertz": ear.rate}
    faults = list(dict.fromkeys([*off, *heard.faults]))
    return {"heard": {"values": heard.values, "facts": facts, "unknown": heard.unknown}, "faults": faults}


def _check(ear: Ear) -> None:
    """SoundFailure: it gave no sound, or ended giving it. In less than FIRST_SOUND_S there is no telling."""
    assert ear.ended is not None
    if ear.failure is not None:
        raise ear.failure
    if not ear.arrived:
        code = "microphone_silent" if ear.ended - ear.begun >= FIRST_SOUND_S else "timeout"
        raise explained(KIND, ear.handle, SoundFailure(code))
    if ear.ended - ear.arrived[-1] >= LOST_S:
        raise explained(KIND, ear.handle, SoundFailure("microphone_vanished"))


def clock_seconds(ear: Ear, samples: int) -> float | None:
    """How long `samples` lasted by this computer's clock: a line through the blocks' arrivals. None: not known enough.

    When the system said that sound was lost the line has a step, and the first and the last arrival must do.
    """
    import numpy as np

    taken = np.cumsum([len(block) for block in ear.blocks])
    kept = taken > SETTLES_S * ear.rate
    x, y = taken[kept].astype(float), np.array(ear.arrived)[kept]
    if len(x) < 3:
        return None
    if ear.lost:
        return float((y[-1] - y[0]) / (x[-1] - x[0]) * samples)
    slope, start = np.polyfit(x, y, 1)
    error = np.std(y - slope * x - start) / (np.std(x) * np.sqrt(len(x))) / slope
    return float(slope * samples) if error < SURE_RATE else None


def work(first: dict[str, Any], say: Say) -> None:
    """`handles`, `seconds` of listening, `limit` for it, `attended`: somebody reads a sentence."""
    ears: list[Ear] = []
    for handle in first["handles"]:
        with _told(handle, say):
            ears.append(opened(library(), handle))
    listen_to(ears, first["seconds"], first["limit"], say)
    for ear in ears:
        with _told(ear.handle, say):
            say({"handle": ear.handle, **judged(ear, attended=first["attended"])})


@contextlib.contextmanager
def _told(handle: str, say: Say) -> Iterator[None]:
    try:
        yield
    except SoundFailure as failure:
        say(unheard(handle, failure))


def unheard(handle: str, failure: SoundFailure) -> child.Line:
    """What is said of a microphone that failed."""
    return {"handle": handle, "failed": failure.code, "detail": failure.detail}


if __name__ == "__main__":
    child.run(work)
