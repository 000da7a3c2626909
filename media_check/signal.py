"""What a microphone gave: levels, speech, noise and the faults in it. Pure: arrays in, values and words out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from media_check import spectrum, speech, waveform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media_check.waveform import Sound
    from reports.record import Fact

SHORTEST_SECONDS = 0.5
LOWEST_HERTZ = 20.0  # levels are of what can be heard: an offset, which moves with a voice, is not noise
FLOOR_DBFS = -120.0  # said for anything fainter, silence too
MUTED_DBFS = -84.0  # RMS; an open microphone's own noise is louder (-75 usual), a converter's with nothing on it -90
QUIET_DBFS, LOUD_DBFS = -35.0, -15.0  # speech, RMS (policy; webrtc/testrtc)
NOISE_DB = 20.0  # speech less than this above the noise: degraded (policy)
HUM_DB = 26.0  # the same and 6 dB more, since a tone is more annoying than noise (tonal adjustment of ISO 1996-2)
HUM_DBFS = -51.0  # without speech: as if it came at -25 dBFS, the middle of good levels
CLIPPED_RATIO = 0.0005  # own: some twenty cut tops in a second of speech
DROPPED_RATIO = 0.005  # own: half of the 1 % loss that G.711 with concealment stands (ITU-T G.113)
DC_RATIO = 0.01  # own: -40 dBFS; a coupling capacitor lets nothing through, converters are within 0.3 %
NARROW_HERTZ = 5_000  # between narrow band (3.4 kHz, ITU-T G.712) and wide band (7 kHz, ITU-T G.722)

# Worst first: what keeps others from hearing at all, what numbers do not name, then what they do.
FAULTS = (
    *("zeros", "muted", "wrong_rate", "dropouts", "clipping", "narrow_band", "hum", "dc_offset"),
    *("no_speech", "quiet", "noise", "loud"),
)


@dataclass(slots=True)
class Heard:
    """`values` by names of the vocabulary; `unknown`: those that could not be told, with the reason.

    `facts`: exact_zeros, and speech_heard when it could be told. `faults`: words of FAULTS, worst first.
    """

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def note(self, name: str, value: float | None, reason: str) -> None:
        """A value, or why there is none."""
        if value is None:
            self.unknown[name] = reason
        else:
            self.values[name] = value


def listen(samples: NDArray[np.float32], rate: int, *, attended: bool, seconds: float | None) -> Heard:
    """Judge `samples` (n,) of one channel, full scale -1–1, at `rate` hertz. `attended`: somebody was asked to speak.

    `seconds`: how long these samples took by a clock, from the arrival of the block before them to that of the
    last; None: not measured. Unattended, silence is no fault. Less than half a second tells nothing but zeros.
    """
    import numpy as np

    heard = Heard()
    sound = np.nan_to_num(np.asarray(samples, np.float64).ravel())
    heard.facts["exact_zeros"] = bool(len(sound) and not np.any(sound))
    if len(sound) < SHORTEST_SECONDS * rate:
        heard.unknown = dict.fromkeys(_NAMES, "less than half a second of sound")
    else:
        _measure(heard, sound, rate, seconds)
    heard.faults = tuple(sorted(set(_faults(heard, rate, attended)), key=FAULTS.index))
    return heard


_WAVE = ("sound_peak_dbfs", "clipped_ratio", "dc_offset_ratio", "sound_dropped_ratio", "sound_rate_error_ratio")
_SPEECH = ("noise_floor_dbfs", "speech_level_dbfs", "signal_to_noise_db")
_LEVELS = ("hum_dbfs", "sound_bandwidth_hertz", *_SPEECH)
_NAMES = (*_WAVE, *_LEVELS)


def _measure(heard: Heard, sound: Sound, rate: int, seconds: float | None) -> None:
    awake = waveform.sounding(sound)
    _wave(heard, sound, awake, rate, seconds)
    if len(awake) < SHORTEST_SECONDS * rate:
        heard.unknown |= dict.fromkeys(
            _LEVELS, "no sound came" if not len(awake) else "less than half a second of sound"
        )
        return
    level = speech.resampled(awake, rate, rate, LOWEST_HERTZ)
    heard.note("hum_dbfs", _dbfs(spectrum.hum(level, rate)), "less than 0.6 s of sound")
    heard.note("sound_bandwidth_hertz", spectrum.bandwidth(level, rate), "too quiet to tell")
    _speech(heard, level, rate)


def _wave(heard: Heard, sound: Sound, awake: Sound, rate: int, seconds: float | None) -> None:
    import numpy as np

    error = waveform.rate_error(len(sound), rate, seconds)
    lost = (
        -error
        if error is not None and error < -waveform.RATE_ERROR and not waveform.is_wrong_rate(error, rate)
        else 0.0
    )
    heard.values["sound_peak_dbfs"] = decibels(float(np.abs(sound).max()))
    heard.values["clipped_ratio"] = waveform.clipped_ratio(awake)
    heard.values["dc_offset_ratio"] = float(awake.mean()) if len(awake) else float(sound.mean())
    heard.values["sound_dropped_ratio"] = waveform.gap_ratio(awake, rate) + lost
    heard.note("sound_rate_error_ratio", error, "not timed")


def _speech(heard: Heard, level: Sound, rate: int) -> None:
    try:
        chance = speech.chances(level, rate)
    except (ImportError, OSError):
        heard.unknown |= dict.fromkeys(_SPEECH, "no speech detector on this computer")
        return
    found, reason = speech.levels(level, rate, chance), "no speech was heard"
    heard.facts["speech_heard"] = found.speech is not None
    heard.note("speech_level_dbfs", _dbfs(found.speech), reason)
    noise = decibels(math.sqrt(found.noise))
    above = None if found.speech is None else heard.values["speech_level_dbfs"] - noise
    if above is not None and above < NOISE_DB and not found.paused:
        heard.unknown |= dict.fromkeys(("noise_floor_dbfs", "signal_to_noise_db"), "no pause in the speech")
        return
    heard.values["noise_floor_dbfs"] = noise
    heard.note("signal_to_noise_db", above, reason)


def decibels(amplitude: float) -> float:
    """An amplitude of full scale 1 in dBFS; -120 for anything fainter."""
    return max(FLOOR_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else FLOOR_DBFS


def _dbfs(power: float | None) -> float | None:
    return None if power is None else decibels(math.sqrt(power))


def meter(samples: NDArray[np.float32]) -> float:
    """A live level for a page, 0–1: -60 dBFS and less is 0, full scale 1. `samples` (n,)."""
    import numpy as np

    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return min(1.0, max(0.0, 1 + decibels(math.sqrt(power)) / 60))


def _faults(heard: Heard, rate: int, attended: bool) -> Iterator[str]:
    if heard.facts["exact_zeros"]:
        yield "zeros"
        return
    yield from _wave_faults(heard.values, rate)
    yield from _level_faults(heard.values)
    if attended and heard.facts.get("speech_heard") is False:
        yield "muted" if heard.values["noise_floor_dbfs"] < MUTED_DBFS else "no_speech"


def _wave_faults(values: dict[str, float], rate: int) -> Iterator[str]:
    if waveform.is_wrong_rate(values.get("sound_rate_error_ratio", 0.0), rate):
        yield "wrong_rate"
    if values.get("sound_dropped_ratio", 0.0) > DROPPED_RATIO:
        yield "dropouts"
    if values.get("clipped_ratio", 0.0) > CLIPPED_RATIO:
        yield "clipping"
    if abs(values.get("dc_offset_ratio", 0.0)) > DC_RATIO:
        yield "dc_offset"
    if values.get("sound_bandwidth_hertz", math.inf) < NARROW_HERTZ:
        yield "narrow_band"


def _level_faults(values: dict[str, float]) -> Iterator[str]:
    level, noise = values.get("speech_level_dbfs"), values.get("signal_to_noise_db")
    if values.get("hum_dbfs", FLOOR_DBFS) > (HUM_DBFS if level is None else level - HUM_DB):
        yield "hum"
    if noise is not None and noise < NOISE_DB:
        yield "noise"
    if level is not None and not QUIET_DBFS <= level <= LOUD_DBFS:
        yield "quiet" if level < QUIET_DBFS else "loud"
