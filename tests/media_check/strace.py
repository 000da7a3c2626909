"""Programs under strace: what each thread asked the kernel for that can carry bytes away, as Calls.

`-ff` gives each thread a file of its own, so that no line is cut in two by another's; `-xx` writes every string in
hexadecimal, so that nothing has to be guessed of quotes; `-yy` says what each descriptor is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("strace")
SENDING = frozenset({"write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"})
OPENING = frozenset({"open", "openat", "openat2", "creat"})
STARTING = frozenset({"clone", "clone3", "fork", "vfork"})
NEVER = frozenset({
    "process_vm_writev", "splice", "tee", "vmsplice", "sendfile", "copy_file_range", "io_uring_setup", "userfaultfd",
    "shmget", "shmat", "mq_open", "mq_timedsend", "msgsnd", "ptrace", "pidfd_getfd", "process_madvise", "add_key",
    "link", "linkat", "mknod", "mknodat",
})  # fmt: skip
NAMED = frozenset({
    "connect", "mmap", "memfd_create", "execve", "execveat", "symlink", "symlinkat", "rename", "renameat", "renameat2",
})  # fmt: skip
TRACED = ",".join(sorted(SENDING | OPENING | STARTING | NEVER | NAMED))
WHOLE = 1 << 25  # bytes of a string: more than anything here sends at once

RESULT = re.compile(r"-?(?:0x[0-9a-f]+|\d+)")
TARGET = re.compile(r"(?:\d+|AT_FDCWD)<(.*?)>(?:\(deleted\))?(?=, |$)")
MAPPED = re.compile(r", \d+<(.*?)>(?:\(deleted\))?, (?:0|0x[0-9a-f]+)$")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
CODE = re.compile(r"(?:\\x[0-9a-f]{2})+")


@dataclass(frozen=True, slots=True)
class Call:
    """`target`: what its descriptor is ("" without one). `result`: None when it never came back, -1 when refused."""

    name: str
    words: str
    result: int | None
    target: str
    pieces: tuple[bytes, ...]

    @property
    def done(self) -> bool:
        """Not refused. What never came back may have been done."""
        return self.result is None or self.result >= 0


@dataclass(frozen=True, slots=True)
class Act:
    """A call, by which process (its first thread), in which role."""

    role: str
    process: int
    call: Call


def reason_against() -> str | None:
    """Why nothing can be traced here. None: it can."""
    if PROGRAM is None:
        return "strace is not installed"
    tried = subprocess.run([PROGRAM, "-f", "--seccomp-bpf", "-o", "/dev/null", "true"], capture_output=True, timeout=20)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.decode(errors='replace')}"


def prefix(folder: Path) -> list[str]:
    """What a command is begun with to be traced, with all that it starts, into `folder`."""
    assert PROGRAM is not None
    how = ["-ff", "--seccomp-bpf", "-yy", "-xx", "-qq", "-s", str(WHOLE), "-e", f"trace={TRACED}", "-e", "signal=none"]
    return [PROGRAM, *how, "-o", str(folder / "thread")]


def read(folder: Path) -> dict[int, list[Call]]:
    """Each thread's calls, in its own order."""
    files = folder.glob("thread.*")
    return {int(file.suffix[1:]): list(parse(file.read_text("ascii").splitlines())) for file in files}


def parse(lines: Sequence[str]) -> Iterator[Call]:
    """Pure: lines of one thread. Those about signals and ends are no calls; a last one may be cut off."""
    for line in lines:
        head, _, result = line.rpartition(" = ") if " = " in line else (line, "", "")
        name, opened, words = head.rstrip().removesuffix(")").partition("(")
        if opened and name.isidentifier():
            yield _call(name, words, RESULT.match(result))


def _call(name: str, words: str, result: re.Match[str] | None) -> Call:
    about = (MAPPED.search if name == "mmap" else TARGET.match)(words)
    pieces = tuple(_bytes(string) for string in STRING.findall(words))
    return Call(name, words, int(result[0], 0) if result else None, _text(about[1]) if about else "", pieces)


def _bytes(codes: str) -> bytes:
    return bytes.fromhex(codes.replace("\\x", ""))


def _text(words: str) -> str:
    return CODE.sub(lambda codes: _bytes(codes[0]).decode("utf-8", "replace"), words)


def acts(threads: dict[int, list[Call]]) -> Iterator[Act]:
    """All, with the role of whoever did it: that of the thread which started it, until it becomes another program."""
    started = {call.result for calls in threads.values() for call in calls if call.name in STARTING}
    for first in threads.keys() - started:
        yield from _walk(threads, first, first, "?")


def _walk(threads: dict[int, list[Call]], thread: int, process: int, role: str) -> Iterator[Act]:
    for call in threads.get(thread, ()):
        yield Act(role, process, call)
        if call.name == "execve" and call.result == 0:
            role = role_of([piece.decode("utf-8", "replace") for piece in call.pieces])
        elif call.name in STARTING and call.result is not None and call.result > 0:
            same = "CLONE_THREAD" in call.words
            yield from _walk(threads, call.result, process if same else call.result, role)


def role_of(words: Sequence[str]) -> str:
    """One of this program's modules by its name, another program by its own in brackets."""
    path, *arguments = words
    name = path.rpartition("/")[2]
    if name.startswith("python") and "-m" in arguments[:-1]:
        return arguments[arguments.index("-m") + 1]
    return f"({name})"
