"""What a sound's spectrum tells: mains hum and where the device cuts. Pure: arrays in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32] | NDArray[np.float64]

MAINS_HERTZ = 50  # Europe; EN 50160 allows 1 %, the Nordic grid keeps 0.2 %
HARMONICS = 20  # up to 1 kHz; above, hum of a rectifier is weak
HUM_SECONDS = 0.4  # twenty periods: bins of 2.5 Hz keep 50 Hz from other tones, and pitch moves in that time
HUM_PERCENTILE = 20  # hum is always there, a voice at the same pitch is not
HUM_BESIDE_HERTZ = 10  # nearer, a Hann window still shows the line itself
HUM_CONTRAST = 10.0  # ×: 10 dB above what lies beside it; noise reaches 4 dB by chance
HUM_LINES = 2  # lines to be seen when neither 50 nor 100 Hz is one of them
BAND_HERTZ = 250
FRAME_SECONDS = 0.02
LOUD_PERCENTILE = 90  # consonants, which reach highest, are short
LOWEST_CUT_HERTZ = 2_000  # nothing that is for speech cuts lower
CUT_DB = 24.0  # between the bands just below and all above: far steeper than voices and rooms, mild for a codec
VOICE_HERTZ = (1_500, 3_000)  # here every device passes sound
FAINTEST_BAND = 10 ** (-112 / 10)  # 16 bits' rounding at 48 kHz leaves -118 dBFS in a band: below this, nothing is seen


def hum(samples: Sound, rate: int) -> float | None:
    """Mean square of mains hum in `samples` (n,) at `rate` hertz; 0 without hum; None: shorter than 0.6 s."""
    import numpy as np

    size = round(HUM_SECONDS * rate)
    if len(samples) < size * 3 // 2:
        return None
    power = np.percentile(_powers(samples, size, size // 4), HUM_PERCENTILE, axis=0) * (8 / size**2 / 1.5)
    step, aside = round(MAINS_HERTZ * HUM_SECONDS), round(HUM_BESIDE_HERTZ * HUM_SECONDS)
    lines = np.arange(1, min(HARMONICS, (len(power) - 2 - aside) // step) + 1) * step
    line, beside = _three(power, lines), (_three(power, lines - aside) + _three(power, lines + aside)) / 2
    clear = line > HUM_CONTRAST * beside
    if not clear[:2].any() and clear.sum() < HUM_LINES:
        return 0.0
    return float(np.sum((line - beside)[clear]))


def _three(power: NDArray[np.float64], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """A line's whole power: a Hann window spreads it over three bins."""
    return power[at - 1] + power[at] + power[at + 1]


def _powers(samples: Sound, size: int, hop: int) -> NDArray[np.float64]:
    """Squared spectra (frames, size // 2 + 1) of Hann-windowed frames."""
    import numpy as np

    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float64), size)[::hop]
    window = np.hanning(size + 1)[:-1]
    return np.asarray(np.abs(np.fft.rfft(frames * window, axis=1)) ** 2)


def bandwidth(samples: Sound, rate: int) -> float | None:
    """The highest hertz that pass: where sound ends abruptly, else half the rate. None: too quiet to see."""
    import numpy as np

    band = _bands(samples, rate)
    voice = slice(VOICE_HERTZ[0] // BAND_HERTZ, VOICE_HERTZ[1] // BAND_HERTZ)
    if not len(band) or float(np.median(band[voice])) < FAINTEST_BAND:
        return None
    edges = np.arange(LOWEST_CUT_HERTZ // BAND_HERTZ, len(band) - 2)
    drops = [10 * np.log10(band[e - 2 : e].min() / max(band[e + 2 :].max(), 1e-20)) for e in edges]
    cut = next((int(e) for e, drop in zip(edges, drops, strict=True) if drop >= CUT_DB), None)
    return rate / 2 if cut is None else float((cut + 1) * BAND_HERTZ)


def _bands(samples: Sound, rate: int) -> NDArray[np.float64]:
    """Mean square in each 250 Hz, as loud as it is in a tenth of the time."""
    import numpy as np

    size = round(FRAME_SECONDS * rate)
    if len(samples) < 10 * size:
        return np.zeros(0)
    power = _powers(samples, size, size) * (4 / size**2 / 1.5)
    each = round(BAND_HERTZ * FRAME_SECONDS)
    count = power.shape[1] // each
    return np.asarray(
        np.percentile(power[:, : count * each].reshape(-1, count, each).sum(axis=2), LOUD_PERCENTILE, axis=0)
    )
