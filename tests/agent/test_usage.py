"""Every wrong input of the command line: exit code 2, one line on stderr that helps, nothing on stdout."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import cli
from testroom import certificate
from tests.agent.program import one_line, run

Prepare = Callable[[Path], list[object]]


def given(content: str | bytes, *arguments: object) -> Prepare:
    """The arguments, after which the name of a file with that content comes."""

    def prepare(home: Path) -> list[object]:
        path = home / "given"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [*arguments, path]

    return prepare


def just(*arguments: object) -> Prepare:
    return lambda _: list(arguments)


def foreign_pair(home: Path) -> list[object]:
    (home / "c.pem").write_bytes(certificate.make().chain)
    (home / "k.pem").write_bytes(certificate.make().key)
    return [
        "room",
        "--listen",
        "127.0.0.1:0",
        "--stamp-port",
        0,
        "--tls-cert",
        home / "c.pem",
        "--tls-key",
        home / "k.pem",
    ]


WRONG: dict[str, tuple[Prepare, str]] = {
    "unknown command": (just("chek"), "chek"),
    "unknown option": (just("check", "--sekonds", 3), "--sekonds"),
    "an argument too many": (just("check", "now"), "now"),
    "an option without its value": (just("check", "--seconds"), "--seconds"),
    "seconds 0": (just("check", "--seconds", 0), "between 1 and 3600"),
    "seconds -5": (just("check", "--seconds", -5), "between 1 and 3600"),
    "seconds 1e9": (just("check", "--seconds", "1e9"), "between 1 and 3600"),
    "seconds nan": (just("check", "--seconds", "nan"), "between 1 and 3600"),
    "seconds in words": (just("check", "--seconds", "ten"), "--seconds"),
    "budget below 0": (just("check", "--budget-mb", -1), "--budget-mb"),
    "no such probe": (just("check", "--only", "eco"), "did you mean echo?"),
    "nothing left": (just("check", "--only", "echo", "--skip", "echo"), "nothing to test"),
    "no such link": (just("check", "--seconds", 1, "--link", "no-such-link"), "no link 'no-such-link'; there are:"),
    "no such language": (just("check", "--lang", "no"), "sv or en"),
    "an empty room": (just("check", "--room", ""), "looks like https://"),
    "a room by http": (just("check", "--room", "http://a"), "looks like https://"),
    "half a fingerprint": (just("check", "--room", "https://a#sha256=1234"), "64 hexadecimal digits"),
    "no settings file": (just("check", "--settings", "none.toml"), "no settings file none.toml"),
    "broken settings": (given("[room", "check", "--settings"), "not valid TOML"),
    "binary settings": (given(b"\xff\0", "check", "--settings"), "not valid TOML"),
    "an unknown setting": (given("[check]\nsecs = 3", "check", "--settings"), "did you mean seconds?"),
    "a number without end": (given("[check]\nseconds = 1" + "0" * 400, "check", "--settings"), "above 0"),
    "no policy file": (just("check", "--policy", "none.toml"), "none.toml"),
    "broken policy": (given("[[rule]", "check", "--policy"), "given"),
    "binary policy": (given(b"\xff\0", "check", "--policy"), "given"),
    "an unknown rule": (given("[rules.no_such]\ngood = 1", "check", "--policy"), "given"),
    "no such profile": (just("check", "--profile", "jonkopng"), "did you mean jonkoping?"),
    "no profile file": (just("check", "--profile", "none.toml"), "no such profile file"),
    "an unknown key of a profile": (
        given("titel = 'x'", "join", "--profile"),
        "unknown key 'titel'; did you mean 'title'?",
    ),
    "no such link to join by": (just("join", "--link", "no-such-link"), "no link 'no-such-link'; there are:"),
    "raw in no folder": (just("check", "--seconds", 1, "--raw", "no/folder/raw"), "--raw: cannot write"),
    "no such token file": (just("room", "--token-file", "none.toml"), "cannot read the token file none.toml"),
    "broken token file": (given("[tokens", "room", "--token-file"), "not valid TOML"),
    "short tokens": (given('[tokens]\nhabo = "x"', "room", "--token-file"), "at least 16"),
    "listen without a port": (just("room", "--listen", "127.0.0.1"), "--listen looks like"),
    "listen on a word": (just("room", "--listen", "127.0.0.1:https"), "--listen looks like"),
    "listen on a strange digit": (just("room", "--listen", "127.0.0.1:²"), "--listen looks like"),
    "listen on port 70000": (just("room", "--listen", "127.0.0.1:70000"), "--listen looks like"),
    "listen on another's address": (just("room", "--listen", "192.0.2.1:0", "--stamp-port", 0), "cannot listen on"),
    "listen on no name": (just("room", "--listen", "no.invalid:0", "--stamp-port", 0), "cannot listen on"),
    "UDP port 70000": (just("room", "--stamp-port", 70000), "--stamp-port must be between"),
    "UDP port -1": (just("room", "--stamp-port", -1), "--stamp-port must be between"),
    "no sessions": (just("room", "--max-sessions", 0), "--max-sessions"),
    "more sessions than names": (just("room", "--max-sessions", 70000), "--max-sessions"),
    "no packets": (just("room", "--max-packets-per-second", "nan"), "--max-packets-per-second"),
    "no network": (just("room", "--open-stamp", "10.0.0.0/99"), "--open-stamp takes a network"),
    "a network with a host in it": (just("room", "--open-stamp", "10.0.0.1/8"), "--open-stamp takes a network"),
    "ndt7 open and off": (just("room", "--open-ndt7", "--no-throughput"), "contradict each other"),
    "a certificate without a key": (given("", "room", "--tls-cert"), "go together"),
    "no certificate in it": (
        lambda home: [*given("x", "room", "--tls-key", "given", "--tls-cert")(home)],
        "no PEM certificate",
    ),
    "another certificate's key": (foreign_pair, "do not belong together"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process as the program finds it: an empty home, and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("MOTESKLAR_SETTINGS", "MOTESKLAR_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(("prepare", "says"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.timeout(15)
def test_wrong_usage(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], prepare: Prepare, says: str
) -> None:
    """In this process, from the arguments to the exit code: forty interpreters would take half a minute."""
    monkeypatch.setattr(sys, "argv", ["motesklar", *map(str, prepare(home))])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert says in one_line(subprocess.CompletedProcess([], int(end.value.code or 0), said.out, said.err))


@pytest.mark.parametrize("name", ["unknown command", "seconds 1e9", "broken settings", "no such link", "no network"])
def test_wrong_usage_of_the_program(tmp_path: Path, name: str) -> None:
    prepare, says = WRONG[name]
    assert says in one_line(run(tmp_path, *prepare(tmp_path)))


@pytest.mark.parametrize("which", ["https", "stamp"])
def test_a_room_whose_port_is_taken(tmp_path: Path, which: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if which == "https" else socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        if which == "https":
            taken.listen()
        number = taken.getsockname()[1]
        ports = (number, 0) if which == "https" else (0, number)
        line = one_line(run(tmp_path, "room", "--listen", f"127.0.0.1:{ports[0]}", "--stamp-port", ports[1]))
    assert "cannot listen" in line
    assert str(number) in line
    assert "choose other" in line


def test_a_settings_file_by_variable_is_refused_likewise(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[chekc]")
    assert "did you mean check?" in one_line(run(tmp_path, "links", MOTESKLAR_SETTINGS="s.toml"))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["check", "--help"], ["join", "--help"], ["links", "--help"], ["room", "--help"], ["--version"]],
)
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    if "--help" in arguments:
        assert "Usage:" in done.stdout


def test_without_a_command_the_help_is_shown_as_it_is(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "\n  check " in done.stderr
