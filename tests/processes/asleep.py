"""A process that no signal ends: it asks a file system (FUSE, in a mount namespace of its own) which never answers.

`python -m tests.processes.asleep FOLDER`, under `unshare -rm`, says {"server": pid} when it sleeps. It ends when that
process, which holds the file system, is killed.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from pathlib import Path

REQUEST = struct.Struct("=IIQQIII4x")  # fuse_in_header: length, operation, unique, …
INIT = struct.Struct("=IiQ IIIIHHIIHHI28x")  # fuse_out_header and fuse_init_out (linux/fuse.h)


def main(folder: str) -> None:
    """Mount, let another process serve, and ask."""
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
    if ctypes.CDLL(None).mount(b"asleep", folder.encode(), b"fuse", 0, options):
        raise OSError("cannot mount")
    if os.fork() == 0:
        serve(fuse)
    os.close(fuse)
    Path(folder, "file").stat()


def serve(fuse: int) -> None:
    """Answer the kernel's greeting; take the first question, and leave it."""
    unique = REQUEST.unpack_from(os.read(fuse, 1 << 17))[2]
    os.write(fuse, INIT.pack(INIT.size, 0, unique, 7, 31, 4096, 0, 1, 1, 4096, 1, 0, 0, 0))
    os.read(fuse, 1 << 17)
    print(json.dumps({"server": os.getpid()}), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
