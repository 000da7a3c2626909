"""Is a sound that this program played heard by the microphone, how late, and how much weaker? Arrays in, values out.

What is played is an exponential sine sweep, weighted as speech is: most of it below 1 kHz, and in syllables. A matched
filter finds it, band by band: each band counts by the power that the filter gathers in one moment, over the power that
there was in the band while the sweep passed it. So speech, music or a bang in the room, which are loud in some bands
at some times, do not look like it.
Sources: A. Farina, "Simultaneous measurement of impulse response and distortion with a swept-sine technique", AES 108,
2000 (sweep); M. Richards, "Fundamentals of Radar Signal Processing", ch. 6 (detection); ITU-T G.122 (echo loss).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import complex128, float32, float64
    from numpy.typing import NDArray

LEVEL_DBFS = -20.0  # its highest sample: clear in a room, and no fright in a headset turned up
SWEEP_S = 1.2
LOWEST_HZ, HIGHEST_HZ = 200.0, 6800.0
SPEECH_HZ = 500.0  # above it speech, and so the sweep, falls by 6 dB an octave
SYLLABLES_HZ, SYLLABLE_DEPTH = 4.0, 0.3  # a steady tone is what a noise suppressor takes away
FADE_S = 0.03
FALSE_ALARM = 1e-4  # how often a sweep that is not there may be found, at most
BANDS = 10  # each lasts a tenth of the sweep, and is half an octave wide
WIDER = 1.25  # a band rings a little longer than its part of the sweep
AT_MOST = 8.0  # times the noise's power that one band may count: no single sound reaches the bound
BLOCK_S = 0.005
FIRST_S, TAIL_S = 0.02, 0.25  # how long before the strongest path a weaker one may come; and reverberation
SHARE = 0.5  # of the strongest path's amplitude: the first that has it is the direct one
CLEARLY = 4.0  # times the noise: what is weaker is fitted, not summed


@dataclass(frozen=True, slots=True)
class Echo:
    """`delay_seconds`: from a sample played to the same one recorded. `return_loss_db`: level played less level heard.

    Both are None when it was not heard.
    """

    delay_seconds: float | None
    return_loss_db: float | None
    heard: bool


NOTHING = Echo(None, None, False)


def sweep(rate: int) -> NDArray[float32]:
    """What is played: shape (SWEEP_S * rate,), -1 to 1, its highest sample at LEVEL_DBFS. `rate`: Hz, 8000 or more."""
    import numpy as np

    time = np.arange(round(SWEEP_S * rate)) / rate
    grows = math.log(_highest(rate) / LOWEST_HZ) / SWEEP_S
    frequency = LOWEST_HZ * np.exp(grows * time)
    fade = np.clip(np.minimum(time, time[-1] - time) / FADE_S, 0, 1)
    louder = np.minimum(1, SPEECH_HZ / frequency) ** 0.5  # an exponential sweep falls by 3 dB an octave of itself
    louder *= 1 - SYLLABLE_DEPTH + SYLLABLE_DEPTH * np.cos(2 * np.pi * SYLLABLES_HZ * time)
    sound = np.sin(2 * np.pi * (frequency - LOWEST_HZ) / grows) * louder * np.sin(np.pi / 2 * fade) ** 2
    return np.asarray(sound * 10 ** (LEVEL_DBFS / 20) / np.abs(sound).max(), dtype=np.float32)


def heard(played: NDArray[float32], recorded: NDArray[float32], rate: int) -> Echo:
    """Find `played` (n,) in `recorded` (m,), m > n, both -1 to 1 at `rate` Hz and begun at the same moment.

    Delays from 0 to (m - n) / rate seconds can be found. ValueError: m <= n.
    """
    import numpy as np

    lags = recorded.size - played.size
    if lags <= 0:
        raise ValueError("recorded for too short")
    if not np.any(recorded):
        return NOTHING
    pair = _Pair.of(played, recorded, rate)
    steps = int(lags / rate * pair.rate)
    seen = pair.seen(steps)
    if seen.max() <= bound(lags, rate):
        return NOTHING
    start = pair.first(int(np.argmax(seen)), steps)
    return Echo(start / pair.rate, pair.loss(start, steps), True)


def bound(lags: int, rate: int) -> float:
    """What the sum over bands exceeds by chance, at any of `lags`, with a probability of FALSE_ALARM at most.

    In filtered noise a band's power, in units of its mean, is distributed exponentially; so their sum x is by
    Gamma(BANDS): P(> x) = exp(-x) * sum(x**k / k!, k < BANDS). About bandwidth * time of the lags are independent.
    """
    independent = max(1.0, (_highest(rate) - LOWEST_HZ) * lags / rate)
    x = float(BANDS)
    while math.exp(-x) * sum(x**k / math.factorial(k) for k in range(BANDS)) > FALSE_ALARM / independent:
        x += 0.1
    return x


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two spectra, up to the sweep's highest frequency. Time goes in `size` steps, `rate` of them a second."""

    played: NDArray[complex128]
    recorded: NDArray[complex128]
    band: slice
    size: int
    rate: float

    @classmethod
    def of(cls, played: NDArray[float32], recorded: NDArray[float32], rate: int) -> _Pair:
        import numpy as np

        size = 1 << (recorded.size + played.size - 1).bit_length()
        fewer = 1 << int(math.log2(rate / _highest(rate) / 1.05))  # one-sided spectra need steps for their width only
        band = slice(round(LOWEST_HZ * size / rate), round(_highest(rate) * size / rate))
        sent, back = (np.fft.rfft(sound.astype(np.float64), size)[: band.stop] for sound in (played, recorded))
        return cls(sent, back, band, size // fewer, rate / fewer)

    def seen(self, lags: int) -> NDArray[float64]:
        """By lag (lags,): the sum over bands of the filter's power, in units of the band's power meanwhile."""
        import numpy as np

        total = np.zeros(lags)
        edges = np.geomspace(self.band.start, self.band.stop, BANDS + 1).round().astype(int)
        lasts = SWEEP_S * self.rate / BANDS
        for index, (begin, end) in enumerate(pairwise(edges)):
            found, there = (self.power(slice(begin, end), turn)[: lags + self.size // 2] for turn in (1, 0))
            middle = round((index + 0.5) * lasts)
            meanwhile = _smooth(there, round(WIDER * lasts))[middle : middle + lags]
            total += np.minimum(found[:lags] / np.maximum(meanwhile, 1e-30), AT_MOST)
        return total

    def power(self, band: slice, turn: int) -> NDArray[float64]:
        """By time (size,): of what was recorded in `band`.

        `turn`: 1 after the matched filter, -1 after one for the sweep run backwards, 0 as it is. All turn phases only:
        what comes out has the energy that went in.
        """
        import numpy as np

        played = self.played[band]
        one_sided = np.zeros(self.size, dtype=np.complex128)
        phases = played.conj() ** max(turn, 0) * (played * self._turns(band)) ** max(-turn, 0)
        one_sided[band] = self.recorded[band] * phases / np.maximum(np.abs(phases), 1e-12)
        return np.asarray(np.abs(np.fft.ifft(one_sided)) ** 2)

    def first(self, about: int, lags: int) -> int:
        """The lag of the direct path: the first that is nearly as strong as the strongest, around `about`."""
        import numpy as np

        found = np.sqrt(self.power(self.band, 1)[:lags])
        wide = round(FIRST_S * self.rate)
        near = max(0, about - wide)
        best = near + int(np.argmax(found[near : about + wide]))
        begin = max(0, best - wide)
        first = begin + int(np.argmax(found[begin : best + 1] >= SHARE * found[best]))
        return first + int(np.argmax(found[first : first + max(1, int(self.rate / 2000))]))

    def _turns(self, band: slice) -> NDArray[complex128]:
        """Phases that move the sweep run backwards to where the sweep itself is."""
        import numpy as np

        back = SWEEP_S * self.rate / self.size
        return np.exp(2j * np.pi * np.arange(band.start, band.stop) * back)

    def loss(self, start: int, lags: int) -> float:
        """dB from what was played to what came back with and after lag `start`, less the noise.

        The direct path is the least-squares fit of what was played, which other sounds hardly change.
        """
        import numpy as np

        block, tail = max(1, round(BLOCK_S * self.rate)), round(TAIL_S * self.rate)
        begin = max(0, start - block // 2)
        found = _blocks(self.power(self.band, 1)[begin : max(begin + block, min(begin + tail, lags))], block)
        noise = _blocks(self.power(self.band, -1)[max(0, begin - tail) : begin + tail], block)
        over = found <= noise.max()
        ends = int(np.argmax(over)) if over.any() else found.size
        clear = found[0] > CLEARLY * noise.max()
        direct = float(found[0] - noise.mean()) if clear else self.fitted(start)
        return 10 * math.log10(self.sent() / (direct + float(np.sum(found[1:ends] - noise.mean()))))

    def sent(self) -> float:
        """Energy of what was played."""
        import numpy as np

        return float(np.sum(np.abs(self.played[self.band]) ** 2)) / self.size

    def fitted(self, lag: int) -> float:
        """Energy of that multiple of what was played that fits best at `lag`."""
        import numpy as np

        bins = np.arange(self.band.start, self.band.stop)
        played = self.played[self.band] * np.exp(-2j * np.pi * bins * lag / self.size)
        fit = abs(complex(np.vdot(played, self.recorded[self.band]))) / float(np.sum(np.abs(played) ** 2))
        return float(fit**2 * self.sent())


def _blocks(squares: NDArray[float64], block: int) -> NDArray[float64]:
    """Energy of each whole block (n // block,)."""
    return squares[: squares.size // block * block].reshape(-1, block).sum(axis=1)  # type: ignore[no-any-return]


def _smooth(power: NDArray[float64], width: int) -> NDArray[float64]:
    """Running mean (n,) over `width` samples around each, of those that there are."""
    import numpy as np

    total = np.concatenate([[0.0], np.cumsum(power)])
    ends = np.minimum(np.arange(power.size) + width // 2 + 1, power.size)
    begins = np.maximum(np.arange(power.size) - width // 2, 0)
    return np.asarray((total[ends] - total[begins]) / (ends - begins))


def _highest(rate: int) -> float:
    return min(HIGHEST_HZ, 0.45 * rate)
