"""Computers on which something is missing: libraries, permissions, a sound server that answers.

The program runs in mount namespaces whose only camera is a file in place of /dev/video0, so that no driver is needed to
see what is said of one that may not be opened; and with folders first on PYTHONPATH whose modules fail to import.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.agent.program import ROOT

MISSING = {"sounddevice": "OSError('PortAudio library not found')"}  # others: as when a package is not installed
CAMERA = """
set -e
mkdir "$0/dev" "$0/class"
mount --rbind /dev "$0/dev"
mount -t tmpfs none /dev
for name in null zero full random urandom; do touch "/dev/$name"; mount --bind "$0/dev/$name" "/dev/$name"; done
mkdir /dev/shm
mount --rbind /sys/class "$0/class"
mount -t tmpfs none /sys/class
for path in "$0"/class/*; do mkdir "/sys/class/${path##*/}"; mount --bind "$path" "/sys/class/${path##*/}"; done
mkdir -p /sys/class/video4linux/video0
echo "HD Webcam" >/sys/class/video4linux/video0/name
echo 0 >/sys/class/video4linux/video0/index
touch /dev/video0
chmod 0 /dev/video0
exec "$@"
"""
NAMESPACE = ("unshare", "-rm", "--propagation", "private")
# root of the namespace may open what it likes; without these it is as anybody else
ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")


def possible() -> bool:
    """Namespaces that anybody may make, as Debian has them."""
    tools = all(map(shutil.which, ("unshare", "setpriv", "mount")))
    return tools and subprocess.run([*NAMESPACE, *ANYBODY, "true"], capture_output=True, check=False).returncode == 0


def with_camera(folder: Path) -> tuple[str, ...]:
    """A command's prefix: there is a camera, which may not be opened. `folder`: an empty one."""
    folder.mkdir()
    return (*NAMESPACE, "sh", "-c", CAMERA, str(folder), *ANYBODY)


def without(folder: Path, *modules: str) -> dict[str, str]:
    """The environment in which these cannot be imported. `folder`: an empty one."""
    folder.mkdir()
    for name in modules:
        error = MISSING.get(name, f"ModuleNotFoundError('No module named {name}', name='{name}')")
        (folder / f"{name}.py").write_text(f"raise {error}\n", "utf-8")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


@contextlib.contextmanager
def silent_server(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a sound server that takes connections and answers nothing."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "sound"))
        server.listen(64)
        yield {"PULSE_SERVER": f"unix:{folder}/sound"}
