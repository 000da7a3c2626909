"""The paths that both are measured on: this computer's loopback, and a veth pair between two namespaces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from bench.processes import BenchError, Spawn, popen
from tests.netlab.namespaces import Namespace, new_namespace


class Path(NamedTuple):
    """`host` is the far end's address; programs are started at either end."""

    name: str
    host: str
    near: Spawn
    far: Spawn


@contextmanager
def loopback() -> Iterator[Path]:
    yield Path("loopback", "127.0.0.1", popen, popen)


@contextmanager
def veth() -> Iterator[Path]:
    """BenchError: namespaces cannot be had here."""
    try:
        with new_namespace("near") as near, new_namespace("far") as far:
            _join(near, far)
            yield Path("veth", "10.99.0.2", partial(near.popen, sysfs=False), partial(far.popen, sysfs=False))
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"a veth pair needs root or `unshare -Urnm` ({error})") from None


def _join(near: Namespace, far: Namespace) -> None:
    """One veth pair with an end and an address in each."""
    other = f"/proc/self/fd/{far.fd}"
    add = ["ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", other]
    near.run(add, check=True, sysfs=False, pass_fds=(far.fd,))
    for namespace, device, address in ((near, "near", "10.99.0.1/24"), (far, "far", "10.99.0.2/24")):
        namespace.run(["ip", "address", "add", address, "dev", device], check=True, sysfs=False)
        namespace.run(["ip", "link", "set", device, "up"], check=True, sysfs=False)


if sys.platform == "linux":
    PATHS = {"loopback": loopback, "veth": veth}
else:
    PATHS = {"loopback": loopback}
