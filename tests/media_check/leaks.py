"""How a frame or samples could be kept or sent on: one function for each way, for a test that must see every one.

Each is done in a forked child of the camera's own process, which says its name by a file that it looks for.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import mmap
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

MARK = "/leaks/"
Frame = Any  # (720, 1280, 3) of uint8, in BGR
ROWS = 120  # enough to be a picture, and little enough to trace quickly
SAID = 3  # where processes.child.run keeps what was standard output


def imwrite(frame: Frame) -> None:
    import cv2

    cv2.imwrite("frame.png", frame)


def jpeg(frame: Frame) -> None:
    import cv2

    Path("frame.jpg").write_bytes(cv2.imencode(".jpg", frame)[1].tobytes())


def save(frame: Frame) -> None:
    import numpy as np

    np.save("samples.npy", frame)


def mapped(frame: Frame) -> None:
    with Path("frame.raw").open("w+b") as file:
        file.truncate(frame.nbytes)
        mmap.mmap(file.fileno(), frame.nbytes)[:] = frame.tobytes()


def shared(frame: Frame) -> None:
    file = os.memfd_create("frame")
    os.ftruncate(file, frame.nbytes)
    mmap.mmap(file, frame.nbytes)[:] = frame.tobytes()


def shared_unnamed(frame: Frame) -> None:
    mmap.mmap(-1, frame.nbytes)[:] = frame.tobytes()


def pickled(frame: Frame) -> None:
    os.write(SAID, pickle.dumps(frame[:20]))


def said(frame: Frame) -> None:
    line = {"values": {"camera_black_ratio": frame[0, :40, 0].tolist()}}
    os.write(SAID, json.dumps(line).encode() + b"\n")


def said_base64(frame: Frame) -> None:
    text = base64.b64encode(frame[::60, ::60].tobytes()).decode()
    os.write(SAID, json.dumps({"facts": {"camera_picture": text}}).encode() + b"\n")


def logged(frame: Frame) -> None:
    logging.getLogger("camera").warning("row %s", frame[0, :9].tolist())


def printed(frame: Frame) -> None:
    print(frame[:2], file=sys.stderr, flush=True)


def logged_hex(frame: Frame) -> None:
    logging.getLogger("camera").warning("row %s", frame[0, :30].tobytes().hex())


def datagram(frame: Frame) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(frame[0, :400].tobytes(), ("127.0.0.1", 9))


def stream(frame: Frame) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sending:
        sending.send(frame[0, :400].tobytes())


def parents_socket(frame: Frame) -> None:
    here, there = socket.socketpair()
    with here, there:
        here.send(frame[0].tobytes())


def spliced(frame: Frame) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\0" * 8)
    os.splice(reading, os.open(os.devnull, os.O_WRONLY), 8)


def other_program(frame: Frame) -> None:
    subprocess.run(["true", frame[0, :60].tobytes().hex()], check=True)


def other_programs_input(frame: Frame) -> None:
    subprocess.run(["cat"], input=frame[:2].tobytes(), stdout=subprocess.DEVNULL, check=True)


def drops(frame: Frame) -> None:
    """Many small ones, none of which says anything by itself."""
    data = io.BytesIO(frame[0, :3000].tobytes() * 3)
    while part := data.read(8):
        os.write(SAID, part)


WAYS: dict[str, Callable[[Frame], None]] = {
    way.__name__: way
    for way in (
        imwrite, jpeg, save, mapped, shared, shared_unnamed, pickled, said, said_base64, logged, printed, logged_hex,
        datagram, stream, parents_socket, spliced, other_program, other_programs_input, drops,
    )
}  # fmt: skip


def leak(ways: Iterable[str], frame: Frame) -> None:
    """Each in a child of its own, one after the other."""
    for name in ways:
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            continue
        with suppress(BaseException):
            with suppress(FileNotFoundError):
                os.open(MARK + name, os.O_RDONLY)
            WAYS[name](frame[:ROWS])
        os._exit(0)
