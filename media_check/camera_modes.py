"""What a V4L2 camera offers, asked of its driver by ioctl, and which of it a meeting would take.

Layouts and request numbers are those of the kernel's <linux/videodev2.h> on x86, ARM and RISC-V.
"""

from __future__ import annotations

import errno
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

WIDTH, HEIGHT, RATE = 1280, 720, 30.0  # what a meeting asks a camera for
DECODED = (
    "MJPG",
    "YUYV",
    "UYVY",
    "YVYU",
    "NV12",
    "NV21",
    "YU12",
    "YV12",
    "BGR3",
    "RGB3",
    "JPEG",
)  # by OpenCV; best first
MOST = 64  # of each list: a driver that never ends one

FORMAT = struct.Struct("=III32s4sI12x")  # v4l2_fmtdesc: index, type, flags, description, pixelformat, mbus_code
SIZE = struct.Struct("=I4sI6I8x")  # v4l2_frmsizeenum: index, pixel_format, type, then width, height or a range
INTERVAL = struct.Struct("=I4sIII6I8x")  # v4l2_frmivalenum: index, pixel_format, width, height, type, fractions
BUFFERS = struct.Struct("=IIIIB3x")  # v4l2_requestbuffers: count, type, memory, capabilities, flags
CONTROL = struct.Struct("=Ii")  # v4l2_control: id, value

CAPTURE, MMAP = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP
DISCRETE, CONTINUOUS = 1, 2  # V4L2_FRMSIZE_TYPE_*, V4L2_FRMIVAL_TYPE_*; 3: in steps
PRIVACY = 0x009A0910  # V4L2_CID_PRIVACY


def _both_ways(number: int, layout: struct.Struct) -> int:
    """_IOWR('V', number, layout)."""
    return 3 << 30 | layout.size << 16 | ord("V") << 8 | number


ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = (
    _both_ways(2, FORMAT), _both_ways(74, SIZE), _both_ways(75, INTERVAL),
)  # fmt: skip
REQBUFS, G_CTRL = _both_ways(8, BUFFERS), _both_ways(27, CONTROL)

Ask = Callable[[int, bytes], bytes]  # an ioctl: request, argument -> answer; OSError


@dataclass(frozen=True, slots=True)
class Mode:
    """A picture's width and height in pixels, its format's four letters, and frames a second; 0: not told."""

    width: int
    height: int
    fourcc: str
    rate: float = 0.0

    def __str__(self) -> str:
        """As reports say it: "1280x720 MJPG"."""
        return f"{self.width}x{self.height} {self.fourcc}"


def asking(camera: int) -> Ask:
    """The ioctl of an open camera (its file descriptor)."""
    if sys.platform == "win32":  # pragma: no cover
        raise OSError(errno.ENOSYS, "no V4L2 here")
    import fcntl

    return lambda request, argument: fcntl.ioctl(camera, request, argument)


def offered(ask: Ask) -> tuple[Mode, ...]:
    """Each size of each format that can be decoded here, at its highest rate. OSError: EBUSY, ENODEV, EACCES only."""
    return tuple(
        Mode(width, height, fourcc, max(_rates(ask, fourcc, width, height), default=0.0))
        for fourcc in _formats(ask)
        for width, height in _sizes(ask, fourcc)
    )


def _list(ask: Ask, request: int, argument: Callable[[int], bytes]) -> Iterator[bytes]:
    """The answers for index 0, 1, … until the driver says that there is none."""
    for index in range(MOST):
        try:
            yield ask(request, argument(index))
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise


def _formats(ask: Ask) -> list[str]:
    answers = _list(ask, ENUM_FMT, lambda index: FORMAT.pack(index, CAPTURE, 0, b"", b"", 0))
    found = [FORMAT.unpack(answer)[4].decode("latin-1") for answer in answers]
    return [fourcc for fourcc in DECODED if fourcc in found]


def _sizes(ask: Ask, fourcc: str) -> Iterator[tuple[int, int]]:
    """Width and height of each size; of a range: what is nearest to a meeting's."""
    for answer in _list(ask, ENUM_FRAMESIZES, lambda index: SIZE.pack(index, fourcc.encode("latin-1"), *([0] * 7))):
        _, _, kind, *numbers = SIZE.unpack(answer)
        if kind == DISCRETE:
            yield numbers[0], numbers[1]
            continue
        yield _within(WIDTH, *numbers[:3]), _within(HEIGHT, *numbers[3:])
        return


def _within(wanted: int, least: int, most: int, step: int) -> int:
    """The possible one nearest to, and not above, what is wanted."""
    inside = min(max(wanted, least), most)
    return inside - (inside - least) % max(1, step)


def _rates(ask: Ask, fourcc: str, width: int, height: int) -> Iterator[float]:
    """Frames a second; of a range: its highest. The driver's intervals are in seconds, as fractions."""

    def argument(index: int) -> bytes:
        return INTERVAL.pack(index, fourcc.encode("latin-1"), width, height, *([0] * 7))

    for answer in _list(ask, ENUM_FRAMEINTERVALS, argument):
        _, _, _, _, kind, numerator, denominator, *_ = INTERVAL.unpack(answer)
        if numerator:
            yield denominator / numerator
        if kind != DISCRETE:
            return


def fitting(modes: Iterable[Mode]) -> Mode | None:
    """The one that a browser would take when a meeting asks for 720p at 30 frames a second, with MJPG before others.

    Nearness is the fitness distance of W3C Media Capture and Streams for these three ideals; a rate that the camera
    does not tell counts as the ideal, and so does a higher one.
    """
    order = {fourcc: place for place, fourcc in enumerate(DECODED)}
    return min(modes, key=lambda mode: (_distance(mode), order.get(mode.fourcc, len(order))), default=None)


def sizes(modes: Iterable[Mode]) -> tuple[Mode, ...]:
    """Of each size the one that would be taken, small ones first."""
    of_size: dict[tuple[int, int], list[Mode]] = {}
    for mode in modes:
        of_size.setdefault((mode.width, mode.height), []).append(mode)
    best = (fitting(same) for _, same in sorted(of_size.items()))
    return tuple(mode for mode in best if mode)


def _distance(mode: Mode) -> float:
    pairs = ((mode.width, WIDTH), (mode.height, HEIGHT), (min(mode.rate or RATE, RATE), RATE))
    return sum(abs(has - wants) / max(has, wants) for has, wants in pairs)


def take(ask: Ask) -> None:
    """Take the camera's buffers and give them back. OSError: EBUSY when another program has them."""
    try:
        ask(REQBUFS, BUFFERS.pack(1, CAPTURE, MMAP, 0, 0))
        ask(REQBUFS, BUFFERS.pack(0, CAPTURE, MMAP, 0, 0))
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTTY):  # it has no such buffers: not asked
            raise


def shutter_closed(ask: Ask) -> bool | None:
    """Does the camera say that its shutter is closed, or its switch off? None: it has no such control."""
    try:
        _, value = CONTROL.unpack(ask(G_CTRL, CONTROL.pack(PRIVACY, 0)))
    except OSError:
        return None
    return bool(value)
