"""How well this computer encodes the meeting's picture: 720p as VP8, as browsers do, in a child process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from media_check.computer_part import Part, UnknownError
from media_check.errand import Errand
from processes import child

WIDTH, HEIGHT, RATE = 1280, 720, 30
BITS = 1_500_000  # per second
SCENES = 15  # different pictures, shown again and again
NOISE = 8  # steps of 255, from darkest to brightest
LONGEST_S = 2.0
ENOUGH = 5  # pictures: with fewer the first one, which is coded whole, is too much of it
OPTIONS = {
    "deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "static-thresh": "1", "noise-sensitivity": "4",
    "qmin": "2", "qmax": "56", "undershoot-pct": "100", "overshoot-pct": "15",
}  # fmt: skip
COMMAND = child.command("media_check.computer_child")


@dataclass(frozen=True, slots=True)
class Encoded:
    """`frames` pictures in `wall` seconds, with `cpu` seconds of processor time by all threads together."""

    frames: int
    wall: float
    cpu: float


def ratios(encoded: Encoded, cores: int) -> dict[str, float]:
    """encode_cpu_ratio: of all cores, at RATE pictures a second. encode_speed_ratio: against RATE. UnknownError."""
    if encoded.frames < ENOUGH or encoded.wall <= 0:
        raise UnknownError("too few pictures were encoded to tell")
    return {
        "encode_cpu_ratio": encoded.cpu / encoded.frames * RATE / cores,
        "encode_speed_ratio": encoded.frames / RATE / encoded.wall,
    }


async def ask(_: Errand) -> Part:
    """Two seconds of pictures, as fast as they can be encoded, for at most two seconds."""
    said: dict[str, object] = {}
    async with child.started(COMMAND) as process:
        await child.tell(process, {"job": "encode"})
        async for line in child.lines(process):
            said |= line
    if "missing" in said:
        raise UnknownError(f"the package {said['missing']} is not installed")
    try:
        encoded = Encoded(int(str(said["frames"])), float(str(said["wall"])), float(str(said["cpu"])))
    except (KeyError, ValueError):
        raise UnknownError("the encoder ended without an answer") from None
    return Part(ratios(encoded, cores()))


def cores() -> int:
    """Processors that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# ---- in the child -------------------------------------------------------------------------------------------------


def encode(seconds: float = LONGEST_S, frames: int = int(RATE * LONGEST_S)) -> Encoded:
    """Until so many pictures are encoded or so long has passed. ImportError without av or numpy."""
    from fractions import Fraction

    import av

    context = av.CodecContext.create("libvpx", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.bit_rate, context.gop_size, context.options = BITS, 3000, OPTIONS
    context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
    context.thread_count = 1  # libvpx's threads wait for each other in loops that take the CPU they are to measure
    pictures = _pictures()
    begun, spent, done = time.monotonic(), time.process_time(), 0
    while done < frames and time.monotonic() - begun < seconds:
        picture = pictures[done % SCENES]
        picture.pts = done
        context.encode(picture)
        done += 1
    return Encoded(done, time.monotonic() - begun, time.process_time() - spent)


def _pictures() -> list[Any]:
    """A soft pattern that moves, with the noise of a camera: neither a still picture nor pure noise is like a face."""
    import av
    import numpy as np

    random = np.random.default_rng(1)
    scene = np.kron(random.integers(30, 220, (HEIGHT // 16, WIDTH // 16)), np.ones((16, 16))).astype(np.float32)
    for axis in (0, 1):
        scene = np.mean([np.roll(scene, shift, axis) for shift in range(-8, 9, 4)], axis=0)
    scene, noise = scene.astype(np.uint8), random.integers(0, NOISE, scene.shape, np.uint8)
    pictures = []
    for index in range(SCENES):
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = np.roll(scene, 2 * index, axis=1) + np.roll(noise, 97 * index, axis=0)
        pictures.append(av.VideoFrame.from_ndarray(planes, format="yuv420p"))
    return pictures
