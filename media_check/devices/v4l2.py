"""Linux cameras: /sys says which there are, V4L2's ioctls what each node is for (the kernel's videodev2.h).

One camera often has several nodes: pictures, metadata, an infrared eye, another compression. One of them is the camera.
"""

from __future__ import annotations

import errno
import os
import queue
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import sysfs
from .seen import Seen

PATIENCE_S = 1.5  # for a driver that sleeps
QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
ENUM_FMT = 0xC0405602  # _IOWR('V', 2, struct v4l2_fmtdesc)
CAPABILITY, FORMAT = struct.Struct("=16s32s32s3I12x"), struct.Struct("=3I32sI4I")
CAPTURE, CAPTURE_MPLANE, MEMORY_TO_MEMORY = 0x1, 0x1000, 0x8000 | 0x4000
DEVICE_CAPS, MEDIA_CONTROLLED = 0x80000000, 0x20000000
GREY = frozenset({b"GREY", b"Y10 ", b"Y12 ", b"Y16 ", b"Y8I ", b"Y12I", b"Z16 ", b"INZI", b"L8  "})
MOST_FORMATS = 64


@dataclass(frozen=True, slots=True)
class Node:
    """What the driver says. `answered` False: it did not, and what /sys knows has to do."""

    answered: bool = False
    card: str = ""
    bus_info: str = ""
    driver: str = ""
    captures: bool = False
    formats: tuple[bytes, ...] = ()


def cameras(sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> list[Seen]:
    """One for each camera, in the order of their numbers. A driver that hangs or refuses is taken at /sys's word."""
    nodes = sorted((sys / "class/video4linux").glob("video*"), key=lambda p: int(p.name.removeprefix("video") or 0))
    present = [n for n in nodes if (dev / n.name).exists()]
    answers = _ask_all([dev / n.name for n in present])
    found = [(n, a) for n in present if _is_camera(n, a := answers.get(n.name, Node()))]
    colourful = {_unit(n) for n, a in found if not _grey(a)}
    found = [(n, a) for n, a in found if not (_grey(a) and _unit(n) in colourful)]
    first: dict[tuple[str, str], Seen] = {}
    for node, answer in found:
        first.setdefault(_camera(node, answer), _seen(node, answer, dev))
    return list(first.values())


def _is_camera(node: Path, answer: Node) -> bool:
    """The first node of a driver that says nothing is most often the picture's."""
    return answer.captures if answer.answered else sysfs.text(node / "index") in {"0", ""}


def _grey(answer: Node) -> bool:
    return bool(answer.formats) and set(answer.formats) <= GREY


def _unit(node: Path) -> str:
    return sysfs.behind(node).unit or node.name


def _camera(node: Path, answer: Node) -> tuple[str, str]:
    """The same for all nodes of one camera: a driver may have several under one parent, told apart by bus_info."""
    device = node / "device"
    parent = str(device.resolve()) if device.exists() else node.name
    return parent, answer.bus_info or sysfs.text(node / "name")


def _seen(node: Path, answer: Node, dev: Path) -> Seen:
    hardware = sysfs.behind(node)
    own = sysfs.text(node / "name")
    card = answer.card or own
    return Seen(
        "camera", _whole(card, hardware.model), str(dev / node.name), model=hardware.model or card,
        bus=hardware.bus, driver=answer.driver or hardware.driver, unit=hardware.unit, fixed=hardware.fixed,
    )  # fmt: skip


def _whole(card: str, model: str) -> str:
    """UVC names read "HD Webcam: HD Webcam", cut at 32 characters."""
    first, colon, second = card.partition(": ")
    return first if colon and first.startswith(second[: len(first)]) else card or model


def _ask_all(paths: list[Path]) -> dict[str, Node]:
    """Each in a thread of its own, so that one that sleeps in the kernel keeps nobody waiting."""
    said: queue.SimpleQueue[tuple[str, Node]] = queue.SimpleQueue()
    for path in paths:
        threading.Thread(target=lambda p=path: said.put((p.name, ask(p))), daemon=True).start()
    answers: dict[str, Node] = {}
    until = time.monotonic() + PATIENCE_S
    with suppress(queue.Empty):
        while len(answers) < len(paths):
            name, node = said.get(timeout=max(0.001, until - time.monotonic()))
            answers[name] = node
    return answers


def ask(path: Path) -> Node:
    """What one node is for. One that may not be opened, or is no V4L2 device, is not `answered`."""
    try:
        node = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return Node()
    try:
        return _capabilities(node)
    except OSError as error:
        return Node(answered=error.errno == errno.ENODEV)  # gone meanwhile: no camera
    finally:
        os.close(node)


def _capabilities(node: int) -> Node:
    from fcntl import ioctl

    space = bytearray(CAPABILITY.size)
    ioctl(node, QUERYCAP, space)
    driver, card, bus_info, _, all_caps, own_caps = CAPABILITY.unpack(space)
    caps = own_caps if all_caps & DEVICE_CAPS else all_caps
    kind = 1 if caps & CAPTURE else 9 if caps & CAPTURE_MPLANE else 0  # enum v4l2_buf_type
    wanted = kind and not caps & (MEMORY_TO_MEMORY | MEDIA_CONTROLLED)
    formats = _formats(node, kind) if wanted else ()
    return Node(True, _words(card), _words(bus_info), _words(driver), bool(wanted and formats), formats)


def _formats(node: int, kind: int) -> tuple[bytes, ...]:
    """The four-character codes that it offers."""
    from fcntl import ioctl

    found = []
    with suppress(OSError):  # EINVAL ends the list
        for index in range(MOST_FORMATS):
            space = bytearray(FORMAT.pack(index, kind, 0, b"", 0, 0, 0, 0, 0))
            ioctl(node, ENUM_FMT, space)
            found.append(FORMAT.unpack(space)[4].to_bytes(4, "little"))
    return tuple(found)


def _words(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace").strip()
