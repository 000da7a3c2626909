"""What is asked of V4L2 drivers: layouts against the kernel's own header, lists that end, and the mode taken."""

from __future__ import annotations

import errno
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from media_check import camera_modes as v4l2
from media_check.camera_modes import Mode

HEADER = Path("/usr/include/linux/videodev2.h")
COMPILER = shutil.which("cc")
REQUESTS = {
    "ENUM_FMT": 0xC0405602, "ENUM_FRAMESIZES": 0xC02C564A, "ENUM_FRAMEINTERVALS": 0xC034564B,
    "REQBUFS": 0xC0145608, "G_CTRL": 0xC008561B,
}  # fmt: skip
OFFSETS = """
struct v4l2_fmtdesc: index type flags description pixelformat mbus_code
struct v4l2_frmsizeenum: index pixel_format type discrete.width stepwise.max_width stepwise.step_width
struct v4l2_frmivalenum: index pixel_format width height type discrete.numerator discrete.denominator
struct v4l2_requestbuffers: count type memory capabilities flags
struct v4l2_control: id value
"""
LAYOUTS = [v4l2.FORMAT, v4l2.SIZE, v4l2.INTERVAL, v4l2.BUFFERS, v4l2.CONTROL]
VALUES = {"V4L2_CID_PRIVACY": v4l2.PRIVACY, "V4L2_BUF_TYPE_VIDEO_CAPTURE": 1, "V4L2_FRMSIZE_TYPE_DISCRETE": 1}


@pytest.mark.parametrize(("name", "number"), REQUESTS.items())
def test_request(name: str, number: int):
    assert getattr(v4l2, name) == number


def offsets(layout: struct.Struct) -> list[int]:
    """Of each item of a layout without padding between items."""
    parts = layout.format.strip("=")
    items: list[str] = []
    count = ""
    for letter in parts:
        if letter.isdigit():
            count += letter
            continue
        items += [count + letter] if letter in "sx" else [letter] * int(count or 1)
        count = ""
    return [struct.calcsize("=" + "".join(items[:place])) for place in range(len(items)) if items[place][-1] != "x"]


@pytest.mark.skipif(COMPILER is None or not HEADER.exists(), reason="needs a C compiler and the kernel's headers")
def test_layouts_are_those_of_the_kernels_header(tmp_path: Path):
    prints = [f'printf("%lu\\n", (unsigned long)VIDIOC_{name});' for name in REQUESTS]
    wanted = list(REQUESTS.values())
    prints += [f'printf("%lu\\n", (unsigned long){name});' for name in VALUES]
    wanted += VALUES.values()
    for line, layout in zip(OFFSETS.split("\n")[1:], LAYOUTS, strict=False):
        kind, _, members = line.partition(": ")
        prints += [f'printf("%lu\\n", (unsigned long)sizeof({kind}));']
        prints += [f'printf("%lu\\n", (unsigned long)offsetof({kind}, {member}));' for member in members.split()]
        places = offsets(layout)
        if layout is v4l2.SIZE:
            places = [*places[:4], places[4], places[5]]  # a range is: least, most, step
        wanted += [layout.size, *places[: len(members.split())]]
    source = tmp_path / "layout.c"
    lines = "\n".join(prints)
    source.write_text(f"#include <stdio.h>\n#include <stddef.h>\n#include <linux/videodev2.h>\nint main() {{{lines}}}")
    subprocess.run([str(COMPILER), str(source), "-o", str(tmp_path / "layout")], check=True, timeout=30)
    said = subprocess.run([str(tmp_path / "layout")], capture_output=True, text=True, check=True, timeout=5).stdout
    assert [int(number) for number in said.split()] == wanted


# ---- a driver's answers -------------------------------------------------------------------------------------------

Sizes = dict[str, list[tuple[int, ...]]]


def driver(sizes: Sizes, rates: list[tuple[int, int]], error: int = errno.EINVAL) -> Callable[[int, bytes], bytes]:
    """A camera with these sizes of each format (six numbers: a range), and these intervals of each size."""

    def ask(request: int, argument: bytes) -> bytes:
        try:
            if request == v4l2.ENUM_FMT:
                index, *_ = v4l2.FORMAT.unpack(argument)
                return v4l2.FORMAT.pack(index, 1, 0, b"", list(sizes)[index].encode(), 0)
            if request == v4l2.ENUM_FRAMESIZES:
                index, fourcc, *_ = v4l2.SIZE.unpack(argument)
                size = sizes[fourcc.decode()][index]
                return v4l2.SIZE.pack(index, fourcc, 1 if len(size) == 2 else 3, *size, *[0] * (6 - len(size)))
            index, fourcc, width, height, *_ = v4l2.INTERVAL.unpack(argument)
            return v4l2.INTERVAL.pack(index, fourcc, width, height, 1, *rates[index], 0, 0, 0, 0)
        except IndexError:
            raise OSError(error, "") from None

    return ask


def test_modes_offered():
    ask = driver({"YUYV": [(640, 480), (1280, 720)], "H264": [(1920, 1080)], "MJPG": [(1280, 720)]}, [(1, 15), (1, 30)])
    assert v4l2.offered(ask) == (Mode(1280, 720, "MJPG", 30), Mode(640, 480, "YUYV", 30), Mode(1280, 720, "YUYV", 30))


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ((48, 1920, 8, 32, 1080, 8), (1280, 720)),
        ((48, 800, 2, 32, 600, 2), (800, 600)),
        ((10, 4000, 100, 10, 4000, 100), (1210, 710)),
        ((1600, 1600, 1, 1200, 1200, 0), (1600, 1200)),
    ],
)
def test_of_a_range_the_nearest_size(size: tuple[int, ...], nearest: tuple[int, int]):
    assert v4l2.offered(driver({"YUYV": [size]}, [])) == (Mode(*nearest, "YUYV"),)


def test_a_list_without_an_end_is_left():
    def endless(request: int, argument: bytes) -> bytes:
        return v4l2.FORMAT.pack(0, 1, 0, b"", b"XXXX", 0)

    assert v4l2.offered(endless) == ()


def test_a_camera_that_is_gone_is_not_one_without_modes():
    with pytest.raises(OSError, match=str(errno.ENODEV)):
        v4l2.offered(driver({}, [], errno.ENODEV))


@pytest.mark.parametrize(("number", "raised"), [(errno.EBUSY, True), (errno.ENODEV, True), (errno.EINVAL, False)])
def test_taking_the_buffers(number: int, raised: bool):
    def refuses(request: int, argument: bytes) -> bytes:
        raise OSError(number, "")

    if raised:
        with pytest.raises(OSError, match=rf"{number}"):
            v4l2.take(refuses)
    else:
        v4l2.take(refuses)


@pytest.mark.parametrize(("value", "closed"), [(1, True), (0, False), (None, None)])
def test_shutter(value: int | None, closed: bool | None):
    def ask(request: int, argument: bytes) -> bytes:
        assert (request, *v4l2.CONTROL.unpack(argument)) == (v4l2.G_CTRL, 0x009A0910, 0)
        if value is None:
            raise OSError(errno.EINVAL, "")
        return v4l2.CONTROL.pack(0x009A0910, value)

    assert v4l2.shutter_closed(ask) is closed


HD, VGA = (1280, 720), (640, 480)


@pytest.mark.parametrize(
    ("modes", "taken"),
    [
        ([Mode(*HD, "YUYV", 10), Mode(*HD, "MJPG", 30), Mode(*VGA, "MJPG", 30)], 1),
        ([Mode(*HD, "YUYV", 30), Mode(*HD, "MJPG", 30)], 1),
        ([Mode(*HD, "YUYV", 5), Mode(*VGA, "YUYV", 30)], 1),  # a slide show, or a smaller picture that moves
        ([Mode(1920, 1080, "MJPG", 30), Mode(*VGA, "MJPG", 30)], 0),
        ([Mode(640, 360, "YUYV", 30), Mode(*VGA, "YUYV", 30)], 1),
        ([Mode(*HD, "MJPG", 60), Mode(*VGA, "MJPG", 30)], 0),
        ([Mode(*HD, "MJPG"), Mode(*VGA, "MJPG", 30)], 0),
    ],
)
def test_the_mode_that_a_meeting_takes(modes: list[Mode], taken: int):
    assert v4l2.fitting(modes) == modes[taken]


def test_of_each_size_the_mode_that_would_be_taken():
    modes = [Mode(*HD, "YUYV", 10), Mode(*HD, "MJPG", 30), Mode(*VGA, "YUYV", 60), Mode(*VGA, "MJPG", 30)]
    assert v4l2.sizes(modes) == (modes[3], modes[1])


def test_no_modes_none_taken():
    assert v4l2.fitting([]) is None
