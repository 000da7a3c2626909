"""Network namespaces that leave nothing behind: each lives as long as one open file descriptor.

No name under /run/netns and no mount is made, so that a killed test run leaves no trace. It works as root and
under `unshare -Urnm`. Source: namespaces(7), unshare(2), setns(2).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
HERE = Path("/proc/thread-self/ns/net")
TUN = Path("/dev/net/tun")
OWN_SYSFS = ("unshare", "-m", "--", "sh", "-c", 'mount -t sysfs sysfs /sys && exec "$@"', "sh")
OWN_RESOLVERS = (  # a file in a file system that is gone with the program; services outside know of other links only
    "sh",
    "-c",
    "for d in /run/systemd /run/dbus; do [ ! -d $d ] || mount -t tmpfs tmpfs $d || exit; done; "
    'mount -t tmpfs tmpfs /mnt && printf "%b" "$0" >/mnt/conf && mount --bind /mnt/conf /etc/resolv.conf'
    ' && umount -l /mnt && exec "$@"',
)


def _libc(name: str, *arguments: int) -> None:
    """Call a libc function that answers 0 or sets errno; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


@contextmanager
def _coming_back() -> Iterator[None]:
    """The calling thread is in its own namespace again afterwards."""
    own = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _libc("setns", own, CLONE_NEWNET)
        os.close(own)


@contextmanager
def in_namespace(fd: int) -> Iterator[None]:
    """The calling thread, and those it starts meanwhile, is in the namespace `fd`. Never hold it across an `await`."""
    with _coming_back():
        _libc("setns", fd, CLONE_NEWNET)
        yield


class Namespace:
    """A handle on one network namespace: open sockets and start programs in it."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd
        self.resolvers: tuple[str, ...] = ()  # of programs started from now on; none: those of the test's computer
        self._children: list[subprocess.Popen[Any]] = []

    def enter(self) -> Any:
        """`with ns.enter():` sockets that this thread opens belong to the namespace, and stay there."""
        return in_namespace(self.fd)

    def popen(self, command: Sequence[str], *, sysfs: bool = True, **options: Any) -> subprocess.Popen[Any]:
        """Start a program in the namespace; it is ended when the namespace closes.

        A child inherits the namespace of the thread that forks it. With `sysfs`, the program also sees the
        namespace's own links under /sys and its `resolvers` (private mounts); `popen.pid` is still the program's own.
        """
        with self.enter():
            child = subprocess.Popen(self._prefixed(command) if sysfs else list(command), **options)
        self._children.append(child)
        return child

    def run(
        self, command: Sequence[str], *, timeout: float = 60, check: bool = False, sysfs: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, its output captured as text. Raises subprocess.TimeoutExpired."""
        options = {"capture_output": True, "text": True} | options
        with self.enter():
            return subprocess.run(
                self._prefixed(command) if sysfs else list(command), timeout=timeout, check=check, **options
            )

    def _prefixed(self, command: Sequence[str]) -> list[str]:
        """With mounts of its own: the namespace's /sys, and its resolvers if it has any."""
        conf = "".join(f"nameserver {a}\\n" for a in self.resolvers)
        return [*OWN_SYSFS, *((*OWN_RESOLVERS, conf) if conf else ()), *command]

    def call(self, function: Callable[..., T], *arguments: Any, timeout: float = 60) -> T:
        """Call a function in a thread of its own in the namespace; its exception is raised here."""
        outcome: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                with self.enter():
                    outcome.append(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                errors.append(error)

        thread = threading.Thread(target=work, name=f"in-{self.name}", daemon=True)
        thread.start()
        thread.join(timeout)
        if errors:
            raise errors[0]
        if not outcome:
            raise TimeoutError(f"{function!r} did not end within {timeout} s in {self.name}")
        return outcome[0]

    def close(self) -> None:
        """End the programs started here and let go of the namespace; the kernel removes it with its devices."""
        for child in self._children:
            end(child)
        os.close(self.fd)
        self.fd = -1


def end(child: subprocess.Popen[Any], patience: float = 2.0) -> None:
    """Terminate, then kill, one process that this test run started, and close its pipes."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(patience)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@contextmanager
def new_namespace(name: str) -> Iterator[Namespace]:
    """A fresh namespace with `lo` up. Raises PermissionError without root or a user namespace."""
    with _coming_back():
        _libc("unshare", CLONE_NEWNET)
        namespace = Namespace(name, os.open(HERE, os.O_RDONLY | os.O_CLOEXEC))
    with ExitStack() as stack:
        stack.callback(namespace.close)
        namespace.run(["ip", "link", "set", "lo", "up"], check=True, sysfs=False)
        yield namespace


def unavailable() -> str | None:
    """Why namespaces with a TUN device cannot be had here, in words; None when they can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    missing = [tool for tool in ("ip", "unshare", "mount") if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (iproute2, util-linux)"
    if not os.access(TUN, os.R_OK | os.W_OK):
        return f"{TUN} cannot be opened"
    try:
        with new_namespace("trial"):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"needs root, or run under `unshare -Urnm` ({error})"
