"""The judge of nothing_recorded.py sees what it must: real leaks of a real frame, and single lines of a trace."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from processes import child
from tests.media_check import leaks, marked, strace, traced
from tests.media_check.nothing_recorded import CAMERA, MICROPHONE, SPEAKER, Judge, Place
from tests.media_check.strace import Act
from tests.media_check.traced import heard, marks, own
from tests.media_check.voices import ESPEAK

NOWHERE = Place("/pulse/native", "/tmp", "/home/anna")


@pytest.fixture(scope="module")
def leaked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the judge says of the camera's real process when it leaks in each way; "": of the process itself."""
    folder = traced.prepare(tmp_path_factory.mktemp("leaks"))
    words = [*strace.prefix(folder), *child.command("media_check.camera_child")]
    env = traced.surroundings(folder, **{marked.LEAKS: " ".join(leaks.WAYS)})
    with subprocess.Popen(
        words, env=env, cwd=folder / "temporary", bufsize=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"handle": marked.HANDLE, "seconds": 0.7}).encode() + b"\n")
        assert b'"last": true' in process.stdout.read()
    groups: dict[str, list[Act]] = {}
    for name, act in _by_leak(list(strace.acts(strace.read(folder)))):
        groups.setdefault(name, []).append(act)
    return {name: Judge(traced.place(folder), marks()).judge(acts) for name, acts in groups.items()}


def _by_leak(acts: list[Act]) -> Iterator[tuple[str, Act]]:
    """A leak's child says which it is; all that it starts comes before its parent goes on."""
    name = ""
    for act in acts:
        looked_for = next((piece.decode() for piece in act.call.pieces if piece.startswith(leaks.MARK.encode())), "")
        name = looked_for.removeprefix(leaks.MARK) or ("" if act.process == acts[0].process else name)
        yield name, act


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("imwrite", "frame.png opened for writing"),
        ("jpeg", "frame.jpg opened for writing"),
        ("save", "holds the picture"),
        ("mapped", "mapped for writing"),
        ("shared", "/memfd:frame made"),
        ("shared_unnamed", "nameless mapped for writing"),
        ("pickled", "holds the picture"),
        ("said", "a row of numbers"),
        ("said_base64", "text that nobody can read"),
        ("logged", "a row of numbers"),
        ("printed", "a row of numbers"),
        ("logged_hex", "text that nobody can read"),
        ("datagram", "sendto to UDP"),
        ("stream", "connected to"),
        ("parents_socket", "sendto to UNIX-STREAM"),
        ("spliced", "splice is not to be used"),
        ("other_program", "started"),
        ("other_programs_input", "no text"),
        ("drops", "more than 6000 bytes"),
        ("", None),
    ],
)
def test_each_leak_is_seen(leaked: dict[str, list[str]], way: str, words: str | None) -> None:
    assert {*leaked} == {*leaks.WAYS, ""}
    if words is None:
        assert leaked[way] == []
    else:
        assert any(words in trouble for trouble in leaked[way]), leaked[way]


SOUND, SWEEP = (1000, 1480), (400_000, 420_000)
CONNECT = "connect(9<UNIX-STREAM:[5]>, {sa_family=AF_UNIX, sun_path='/pulse/native'}, 110) = 0"
SEND = "sendto(9<UNIX-STREAM:[5->6]>, '%s', 9, MSG_NOSIGNAL, NULL, 0)"
OPEN = "openat(AT_FDCWD<\\x2f>, '%s', %s, 0600)"
SAY = "write(3<pipe:[8]>, '%s', 9) = 9"
LOG = "write(2</dev/null<char 1:3>>, '%s', 9) = 9"
MAP = "mmap(NULL, 64, PROT_READ|PROT_WRITE, %s, 0) = 0x7f0000000000"


def filled(line: str) -> str:
    """Text in quotes as strace writes it; SOUND is what the microphone hears, SWEEP what the speaker plays."""
    known = {"SOUND": heard()[slice(*SOUND)].tobytes(), "SWEEP": own()[slice(*SWEEP)], "ZEROS": bytes(50_000)}

    def code(text: re.Match[str]) -> str:
        data = known.get(text[1], text[1].encode())
        return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'

    return re.sub(r"'([^']*)'", code, line)


@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(
    ("role", "line", "words"),
    [
        (SPEAKER, SEND % "SWEEP" + " = 20000", None),
        (SPEAKER, SEND % "ZEROS" + " = 50000", None),
        (SPEAKER, SEND % "SOUND" + " = 1920", "holds the sound"),
        (MICROPHONE, SEND % "SOUND" + " = 1920", "holds the sound"),
        (MICROPHONE, SEND % "SOUND" + " = -1 EPIPE (Broken pipe)", None),
        (MICROPHONE, SEND % "SOUND" + " = ?", "holds the sound"),
        (MICROPHONE, (SEND % "SOUND").removesuffix(" MSG_NOSIGNAL, NULL, 0)"), "holds the sound"),
        (MICROPHONE, SEND % "SWEEP" + " = 20000", "more than 12000 bytes"),
        (MICROPHONE, SEND % "words" + " = 5", None),
        (CAMERA, SEND % "words" + " = 5", "to the sound server"),
        ("agent", SEND % "words" + " = 5", "to the sound server"),
        ("agent", SAY % "SOUND", "holds the sound"),
        ("agent", SAY % "any other words", None),
        ("agent", "sendto(9<UDP:[10.0.0.2:5->10.0.0.1:6]>, 'a', 1, 0, NULL, 0) = 1", "to UDP"),
        ("agent", "write(1</dev/pts/0<char 136:0>>, 'a', 1) = 1", "/dev/pts/0"),
        ("(cat)", "write(1</tmp/x>, 'SOUND', 1920) = 1920", "holds the sound"),
        (MICROPHONE, "sendmsg(9<UNIX-STREAM:[5->6]>, {msg_control=[{cmsg_type=SCM_RIGHTS}]}, 0) = 1", "sendmsg is not"),
        (MICROPHONE, "io_uring_setup(8, {flags=0}) = 7", "io_uring_setup"),
        (MICROPHONE, OPEN % ("/tmp/frame", "O_RDONLY|O_CLOEXEC") + " = 3</tmp/frame>", None),
        (MICROPHONE, OPEN % ("/tmp/frame", "O_RDWR|O_CLOEXEC") + " = 3</tmp/frame>", "opened for writing"),
        (MICROPHONE, OPEN % ("/dev/dsp", "O_WRONLY") + " = -1 ENOENT (No such file or directory)", None),
        (MICROPHONE, OPEN % ("/dev/null", "O_WRONLY") + " = 3</dev/null<char 1:3>>", None),
        (MICROPHONE, "rename('/tmp/abcdefgh', '/tmp/frame') = 0", "/tmp/frame given to rename"),
        (MICROPHONE, SAY % '{"level": 0.31, "handle": "pulse:mic"}', None),
        (MICROPHONE, SAY % '{"level": [0.31, 0.3], "handle": "pulse:mic"}', "a list of numbers"),
        (MICROPHONE, SAY % '{"samples": 3, "handle": "pulse:mic"}', "a line that no child says"),
        (MICROPHONE, SAY % '{"handle": "pulse:mic", "heard": {"values": {"first": 3}}}', "an unknown name"),
        (MICROPHONE, SAY % '{"detail": "%s"}' % ("so many words " * 9), "a long text"),
        (MICROPHONE, SAY % "any other words", "no line of JSON"),
        (MICROPHONE, SAY % "wake", None),
        (MICROPHONE, LOG % "heard [0.25, -3e-05, 0.125]", "a row of numbers"),
        (MICROPHONE, LOG % "ALSA lib pcm_a52.c:1001:(_snd_pcm_a52_open) a52 is only for playback", None),
        ("agent", LOG % "0.25 0.5 0.125 0.25 0.5 0.125 0.25 0.5", "a row of numbers"),
        (MICROPHONE, MAP % "MAP_PRIVATE|MAP_ANONYMOUS, -1", None),
        (MICROPHONE, MAP % "MAP_SHARED|MAP_ANONYMOUS, -1", "nameless mapped for writing"),
        (MICROPHONE, MAP % "MAP_SHARED, 6</dev/shm/x>", "/dev/shm/x mapped for writing"),
        (MICROPHONE, MAP % "MAP_SHARED, 6</dev/shm/jack_db-0/__db.001>", None),
    ],
)  # fmt: skip
def test_one_line_of_a_trace(role: str, line: str, words: str | None) -> None:
    before = list(strace.parse([filled(CONNECT)]))
    (call,) = strace.parse([filled(line)])
    found = Judge(NOWHERE, marks(), own()).judge([Act(MICROPHONE, 1, *before), Act(role, 2, call)])
    assert (found == []) if words is None else any(words in trouble for trouble in found), found
