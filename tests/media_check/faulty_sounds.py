"""Sounds with a fault, labelled, and MAKERS: every class by its name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.media_check import sounds
from tests.media_check.sounds import Case, fan_noise, mains_hum, ratio, rms, room_noise, scene, through


def zeros(seed: int) -> Case:
    made = scene(seed)
    return made.case(made.voice * 0, speech=False, must={"zeros"}, attended=bool(seed % 2))


def muted(seed: int) -> Case:
    """The converter's own noise, nothing else."""
    made = scene(seed)
    silence = made.random.normal(size=len(made.voice)) * ratio(made.random.uniform(-95, -87))
    return made.case(silence, speech=False, must={"muted"})


def nobody(seed: int) -> Case:
    """A room, or a fan in it, and nobody speaks although asked."""
    made = scene(seed)
    noise = (fan_noise if seed % 3 == 0 else room_noise)(len(made.voice), made.rate, made.random)
    return made.case(noise * ratio(made.random.uniform(-75, -40)), speech=False, must={"no_speech"})


def unattended(seed: int) -> Case:
    """The same, but nobody was asked: no fault. A second and a half."""
    made = scene(seed)
    noise = (fan_noise if seed % 3 == 0 else room_noise)(made.rate * 3 // 2, made.rate, made.random)
    return made.case(noise * ratio(made.random.uniform(-80, -40)), speech=False, attended=False)


def faint(seed: int) -> Case:
    made = scene(seed, speech=(-62, -39), snr=(25, 40))
    return made.case(must={"quiet"}, speech_dbfs=made.level)


def loud(seed: int) -> Case:
    """Loud without being cut: as after a compressor."""
    made = scene(seed, speech=(-12, -9), snr=(30, 45))
    return made.case(0.98 * np.tanh(made.voice + made.noise), must={"loud"}, may={"clipping"})


def clipping(seed: int) -> Case:
    """Cut at the end of the scale, or before a volume that makes it fainter; 0.2–5 % of the samples."""
    made = scene(seed)
    both = made.voice + made.noise
    end = float(np.quantile(np.abs(both), 1 - made.random.uniform(0.002, 0.05)))
    top = 1.0 if seed % 3 else made.random.uniform(0.2, 0.9)
    return made.case(np.clip(both / end, -1, 1) * top, must={"clipping"}, may={"loud"})


def hum(seed: int) -> Case:
    made = scene(seed)
    tones = mains_hum(len(made.voice), made.rate, made.random) * ratio(made.level - made.random.uniform(8, 22))
    return made.case(made.voice + made.noise + tones, must={"hum"}, may={"noise"})


def hum_alone(seed: int) -> Case:
    """Never to be taken for speech."""
    made = scene(seed)
    count = made.rate * (3 if seed % 2 else 1) + made.rate // 2
    tones = mains_hum(count, made.rate, made.random) * ratio(made.random.uniform(-47, -12))
    noise = room_noise(count, made.rate, made.random) * ratio(made.random.uniform(-80, -60))
    must = {"hum", "no_speech"} if seed % 2 else {"hum"}
    return made.case(tones + noise, speech=False, must=must, attended=bool(seed % 2))


def noisy(seed: int) -> Case:
    """A fan or a loud room, 5–16 dB below the voice."""
    made = scene(seed)
    noise = (fan_noise if seed % 2 else room_noise)(len(made.voice), made.rate, made.random)
    below = made.level - made.random.uniform(5, 16)
    return made.case(made.voice + noise * ratio(below), must={"noise"}, speech_dbfs=made.level, noise_dbfs=below)


def narrow_band(seed: int) -> Case:
    """Over a headset's old Bluetooth profile: 8 kHz."""
    made = scene(seed)
    return made.case(through(made.voice + made.noise, made.rate, 8_000), must={"narrow_band"})


def dropouts(seed: int) -> Case:
    """Blocks of 5–60 ms lost: silence or the last sample instead; 2–12 % of the time."""
    made = scene(seed)
    sound, wished = made.voice + made.noise, made.random.uniform(0.02, 0.12)
    spoken = np.flatnonzero(np.abs(made.voice) > rms(made.voice) * 0.5)
    lost = np.zeros(len(sound), bool)
    while lost.mean() < wished:
        start, length = int(made.random.choice(spoken)), round(made.random.uniform(0.005, 0.06) * made.rate)
        sound[start : start + length] = 0 if seed % 3 else sound[start - 1]
        lost[start : start + length] = True
    return made.case(sound, must={"dropouts"})


def lost_by_clock(seed: int) -> Case:
    """Blocks lost without a trace: too few samples for the time, but not as few as another rate gives."""
    made = scene(seed)
    sound, share = made.voice + made.noise, made.random.choice((0.05, 0.055, 0.12, 0.15, 0.2, 0.25))
    block = round(0.02 * made.rate)
    blocks = sound[: len(sound) // block * block].reshape(-1, block)
    kept = np.sort(made.random.choice(len(blocks), round(len(blocks) * (1 - share)), replace=False))
    return made.case(blocks[kept].ravel(), must={"dropouts"}, seconds=made.clock(len(sound)))


def wrong_rate(seed: int) -> Case:
    """Called `rate`, but taken at another standard rate."""
    made = scene(seed)
    other = made.random.choice([r for r in (*sounds.RATES, 8_000, 24_000) if abs(r / made.rate - 1) > 0.05])
    return made.case(must={"wrong_rate"}, seconds=made.clock(len(made.voice)) * made.rate / other)


def dc_offset(seed: int) -> Case:
    made = scene(seed)
    return made.case(
        made.voice + made.noise + made.random.choice((-1, 1)) * made.random.uniform(0.02, 0.2), must={"dc_offset"}
    )


_FINE = (sounds.good, sounds.good_gated, sounds.good_typing, sounds.good_wide_band, sounds.echoing, unattended)
_SILENT = (zeros, muted, nobody)
_LEVELS = (faint, loud, clipping, noisy)
_BROKEN = (hum, hum_alone, narrow_band, dropouts, lost_by_clock, wrong_rate, dc_offset)
MAKERS: dict[str, Callable[[int], Case]] = {maker.__name__: maker for maker in (*_FINE, *_SILENT, *_LEVELS, *_BROKEN)}
