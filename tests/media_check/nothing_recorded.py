"""What the device check's processes may do with bytes, and what not: a pure judge over their system calls.

Everything that can carry bytes out of a process is forbidden but for what TARGETS and FILES list, and of that only so
much as holds no frame and no tenth of a second of sound. What goes there must also look like what belongs there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from media_check.voice_child import FADE_S
from tests.media_check.marked import holds
from tests.media_check.said import WAKES, line_trouble, picture_trouble, text_trouble
from tests.media_check.strace import NEVER, OPENING, SENDING, Act, Call

CAMERA, MICROPHONE, SPEAKER = "media_check.camera_child", "media_check.sound_child", "media_check.speaker_child"
VOICE, VIEWING = "media_check.voice_child", "media_check.viewing_child"
CHECKING = frozenset({CAMERA, MICROPHONE, SPEAKER})
CAPTURING = CHECKING | {VOICE, VIEWING}
HEARING = frozenset({MICROPHONE, SPEAKER, VOICE})
WITH_SOUND = HEARING | {"media_check.devices.child"}
SEEKERS = frozenset({"ldconfig", "gcc", "cc", "ld", "objdump"})  # by which ctypes.util finds a library

# ---- where bytes may go: roles (None: each of ours), a pattern of the target, and the most bytes of one role --------

Roles = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Target:
    """`content`: what is wrong with what was sent there, if anything is."""

    pattern: str
    most: int
    roles: Roles = None
    content: Callable[[str, bytes], str | None] = lambda _role, _data: None


def _said(role: str, data: bytes) -> str | None:
    """A wake-up, or text; of who captures, a line of known words and single numbers."""
    if len(data) <= WAKES:
        return None
    captures = role in CAPTURING
    return text_trouble(data, captures=captures) or (line_trouble(data) if captures else None)


def _shown(role: str, data: bytes) -> str | None:
    """What may be said by who shows the camera to the person before it: a small picture, or what all may say."""
    line = re.fullmatch(rb'\{"jpeg": "([A-Za-z0-9+/]+=*)"\}\n', data)
    return picture_trouble(line[1]) if line else _said(role, data)


def _text(role: str, data: bytes) -> str | None:
    return text_trouble(data, captures=role in CAPTURING)


def _wake(_role: str, data: bytes) -> str | None:
    return "more than a wake-up" if len(data) > WAKES else None


FADED = round(FADE_S * 48_000) * 8  # bytes, in both ears
LOOPBACK = r"127\.0\.0\.1:\d+"
AGENT = frozenset({"agent"})
VIEWER = "tests.media_check.viewer"  # whose event loop, as the agent's, wakes itself by a socket
SERVER = "the sound server"
# The first that fits counts. A frame of 720p has 2.8 MB, a tenth of a second of sound 19 kB as it is captured.
TARGETS = (
    Target(r"pipe:\[\d+\]", 20_000_000, frozenset({VIEWING}), _shown),
    Target(r"pipe:\[\d+\]", 6_000, CAPTURING, _said),
    Target(r"pipe:\[\d+\]", 200_000, None, _said),
    Target(r"/dev/null(<.*>)?", 16_000, None, _text),
    Target(SERVER, 18_000, frozenset({VOICE})),  # opens two
    Target(SERVER, 12_000, WITH_SOUND),
    Target(r"anon_inode:\[eventfd\]", 6_000, None, _wake),
    Target(r"UNIX-STREAM:\[\d+->\d+\]", 6_000, AGENT | {VIEWER}, _wake),
    Target(r"NETLINK:.*", 6_000, AGENT),
    Target(rf"TCP:\[{LOOPBACK}->{LOOPBACK}\]", 20_000, AGENT),
    Target(rf"UDP:\[{LOOPBACK}(->{LOOPBACK})?\]", 60_000, AGENT),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Of this test: the sound server's socket, the folder for temporary files, and the user's home."""

    server: str
    temporary: str
    home: str

    def files(self) -> tuple[Target, ...]:
        """Which may be opened for writing, or mapped. tempfile tries if it may write; find_library wants a file."""
        temporary, home = re.escape(self.temporary), re.escape(self.home)
        return (
            Target(r"/dev/null(<.*>)?", 16_000, None, _text),
            Target(rf"{temporary}/[a-z0-9_]{{8}}", 4),
            Target(rf"{temporary}/tmp[a-z0-9_]{{8}}", 0),
            Target(rf"{temporary}/motesklar-[a-z0-9_]{{8}}\.pem", 4_000, AGENT, _text),
            Target(rf"{home}/\.config/pulse/cookie", 256, WITH_SOUND),
            Target(rf"{home}/\.local/share/motesklar/(check|test)\.lock", 0, AGENT),  # held, and empty
            Target(r"/dev/shm/jack_db-\d+/[\w.]+", 12_000, HEARING),
            Target(r"/memfd:pulseaudio", 0, WITH_SOUND),  # never handed to another process: see SCM_RIGHTS
        )


# ---- judging ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Judge:
    """`marks`: blocks of what is captured, by name. `own`: what the speaker's child plays, as it goes to the server.

    `aloud`: what the voice's child may play there, but for FADED bytes at an end; nothing when nobody asked for it.
    """

    place: Place
    marks: Mapping[str, frozenset[bytes]]
    own: bytes = b""
    aloud: bytes = b""
    servers: set[str] = field(default_factory=set)  # inodes of sockets connected to the sound server
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    played: int = 0

    def judge(self, acts: Iterable[Act]) -> list[str]:
        """What was wrong, in words: each act's troubles, and those of too much in all."""
        every = [act for act in acts if act.call.done]
        self.servers = {_inode(act.call) for act in every if self._connects(act.call)}
        found = [f"{act.role}: {trouble}" for act in every for trouble in self._troubles(act)]
        return list(dict.fromkeys(found))

    def _connects(self, call: Call) -> bool:
        return call.name == "connect" and self.place.server.encode() in call.pieces

    def _troubles(self, act: Act) -> Iterator[str]:
        call = act.call
        if self._plays(act):
            self.played += len(call.pieces[0])
            return
        for name, blocks in self.marks.items() if call.name not in OPENING else ():
            if any(holds(piece, blocks) for piece in call.pieces):
                yield f"{call.name} to {call.target or 'nowhere known'} holds the {name}"
        if act.role.startswith("("):
            return
        if call.name in NEVER or "SCM_RIGHTS" in call.words:
            yield f"{call.name} is not to be used"
        yield from self._rules(act)

    def _plays(self, act: Act) -> bool:
        """The speaker's child gives the sound server some of its own sweep, the voice's what it heard; or silence."""
        call = act.call
        if act.role not in (SPEAKER, VOICE) or call.name != "sendto" or _inode(call) not in self.servers:
            return False
        data = call.pieces[0]
        if act.role == SPEAKER:
            return not any(data) or data in self.own
        parts = (data, data[FADED:], data.rstrip(b"\0")[:-FADED]) if len(data) > FADED else ()
        return bool(self.aloud) and any(part in self.aloud or not any(part) for part in parts)

    def _rules(self, act: Act) -> Iterator[str]:
        call = act.call
        if call.name in OPENING:
            yield from self._opened(act)
        elif call.name in SENDING:
            yield from self._sent(act)
        elif call.name == "mmap" and "MAP_SHARED" in call.words and "PROT_WRITE" in call.words:
            yield from self._file(act, call.target or "nameless", "mapped for writing", 0)
        elif call.name == "memfd_create":
            yield from self._file(act, "/memfd:" + call.pieces[0].decode(), "made", 0)
        elif call.name == "connect" and act.role in CAPTURING:
            yield from self._connected(act)
        elif call.name in ("execve", "execveat"):
            yield from self._begun(act)
        elif call.name.startswith(("symlink", "rename")):
            for path in call.pieces:
                yield from self._file(act, path.decode("utf-8", "replace"), f"given to {call.name}", 0)

    def _opened(self, act: Act) -> Iterator[str]:
        if re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", act.call.words) or act.call.name == "creat":
            yield from self._file(act, act.call.pieces[-1].decode("utf-8", "replace"), "opened for writing", 0)

    def _connected(self, act: Act) -> Iterator[str]:
        if not (self._connects(act.call) and act.role in HEARING):
            yield f"connected to {act.call.words}"

    def _begun(self, act: Act) -> Iterator[str]:
        """Another program, by whom: words are handed to it as well."""
        path, *words = [piece.decode("utf-8", "replace") for piece in act.call.pieces]
        if act.role in CAPTURING and path.rpartition("/")[2] not in SEEKERS:
            yield f"started {path}"
        if trouble := text_trouble(" ".join(words).replace("/", " ").encode()):  # a long path is no long word
            yield f"gave {path} {trouble}"

    def _file(self, act: Act, path: str, how: str, size: int) -> Iterator[str]:
        allowed = _allowed(self.place.files(), act.role, path)
        if allowed is None:
            yield f"{path} {how}"
        elif self._total(act.role, allowed, size) > allowed.most:
            yield f"{path} was given more than {allowed.most} bytes"

    def left(self, role: str) -> int:
        """Bytes that this role gave away in all, but for what went nowhere, or into JACK's table, which can be read."""
        gone = ("/dev/null", "/dev/shm/jack")
        return sum(size for (by, where), size in self.sent.items() if by == role and not where.startswith(gone))

    def _total(self, role: str, allowed: Target, size: int) -> int:
        self.sent[role, allowed.pattern] += size
        return self.sent[role, allowed.pattern]

    def _sent(self, act: Act) -> Iterator[str]:
        call = act.call
        data = b"".join(call.pieces[:1] if call.name == "sendto" else call.pieces)
        target = SERVER if _inode(call) in self.servers else call.target
        if target.startswith("/") and not target.startswith("/dev/null"):
            yield from self._file(act, target, "written to", len(data))
            return
        allowed = _allowed(TARGETS, act.role, target)
        if allowed is None:
            yield f"{call.name} to {target}"
            return
        if self._total(act.role, allowed, len(data)) > allowed.most:
            yield f"more than {allowed.most} bytes to {allowed.pattern}"
        if trouble := allowed.content(act.role, data):
            yield f"{trouble} to {allowed.pattern}"


def _allowed(targets: Iterable[Target], role: str, name: str) -> Target | None:
    fits = (target for target in targets if re.fullmatch(target.pattern, name))
    return next((target for target in fits if target.roles is None or role in target.roles), None)


def _inode(call: Call) -> str:
    found = re.match(r"UNIX-STREAM:\[(\d+)", call.target)
    return found[1] if found else ""
