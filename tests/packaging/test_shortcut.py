"""The staff page in the menus of programs: made, found, started, removed. Linux for real; the others' form."""

from __future__ import annotations

import configparser
import json
import plistlib
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging"
ENTRY = FOLDER / "linux/motesklar.desktop"
VALIDATE = pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="no desktop-file-validate here")
GIO = pytest.mark.skipif(not shutil.which("gio"), reason="no gio here (Debian: libglib2.0-bin)")
SH = pytest.mark.skipif(not shutil.which("sh"), reason="no sh here")
PNG = b"\x89PNG\r\n\x1a\n"


def program(folder: Path, name: str = "motesklar") -> Path:
    """One that writes down how it was started."""
    folder.mkdir(parents=True, exist_ok=True)
    (made := folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{folder}/started.new"\n'
                                       f'mv "{folder}/started.new" "{folder}/started"\n')  # fmt: skip
    made.chmod(0o755)
    return made


def shortcut(system: str, home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), **more}
    words = [str(FOLDER / system / "shortcut"), *map(str, arguments)]
    return subprocess.run(words, env=environment, cwd=home, capture_output=True, text=True, timeout=20)


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return parser["Desktop Entry"]


# ---- Linux


@VALIDATE
@pytest.mark.parametrize("made", [False, True], ids=["as it is", "as it is installed"])
def test_the_entry_is_one_of_freedesktops(tmp_path: Path, made: bool) -> None:
    path = ENTRY
    if made:
        assert shortcut("linux", tmp_path, program(tmp_path / "a place with spaces")).returncode == 0
        path = tmp_path / ".local/share/applications/motesklar.desktop"
    done = subprocess.run(["desktop-file-validate", str(path)], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_entry_says_it_in_swedish_and_opens_no_terminal() -> None:
    found = entry(ENTRY)
    assert (found["Terminal"], found["Icon"], found["Exec"]) == ("false", "motesklar", "motesklar ui")
    for key in ("GenericName", "Comment", "Keywords"):
        assert found[key] != found[f"{key}[sv]"]


@GIO
@pytest.mark.parametrize("settings", [False, True])
def test_a_desktop_starts_the_program_by_it(tmp_path: Path, settings: bool) -> None:
    """Also from a folder with a space in its name, as another user's home may have."""
    mine = program(tmp_path / "pipx venvs")
    (file := tmp_path / "our settings.toml").touch()
    more = ("--settings", file) if settings else ()
    assert shortcut("linux", tmp_path, *more, mine).returncode == 0
    made = tmp_path / ".local/share/applications/motesklar.desktop"
    subprocess.run(["gio", "launch", str(made)], env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, timeout=20,
                   capture_output=True, check=True)  # fmt: skip
    started = mine.with_name("started")
    for _ in range(200):
        if started.exists():
            break
        subprocess.run(["sleep", "0.02"], check=True)
    assert started.read_text("utf-8").splitlines() == (["ui", "--settings", str(file)] if settings else ["ui"])


@pytest.mark.parametrize("at", [".local/bin", "on the way"])
def test_it_finds_the_program_where_installers_put_it(tmp_path: Path, at: str) -> None:
    mine = program(tmp_path / at)
    done = shortcut("linux", tmp_path, PATH=f"{tmp_path}/on the way:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    data = tmp_path / ".local/share"
    found = entry(data / "applications/motesklar.desktop")
    assert (found["TryExec"], found["Exec"]) == (str(mine), f'"{mine}" ui')
    icon = data / "icons/hicolor/scalable/apps/motesklar.svg"
    assert icon.read_bytes() == (FOLDER / "linux/motesklar.svg").read_bytes()
    assert shortcut("linux", tmp_path, "--remove").returncode == 0
    assert [path for path in data.rglob("motesklar*") if path.is_file()] == []


def test_an_update_may_lead_the_link_elsewhere(tmp_path: Path) -> None:
    """pipx and uv put a link on the way to programs: the entry keeps to it."""
    (link := tmp_path / "motesklar").symlink_to(program(tmp_path / "venv 1"))
    assert shortcut("linux", tmp_path, link, XDG_DATA_HOME=str(tmp_path / "data")).returncode == 0
    assert entry(tmp_path / "data/applications/motesklar.desktop")["TryExec"] == str(link)


WRONG = {
    "nothing there": ((), "motesklar is not found"),
    "no such program": (("none",), "none is not a program"),
    "not a program": (("file",), "file is not a program"),
    "no settings": (("--settings", "none", "motesklar"), "cannot read none"),
    "settings without a name": (("--settings",), "--settings needs a file"),
    "no such option": (("--everybody",), "no option --everybody"),
}


@pytest.mark.parametrize("system", ["linux", "macos"])
@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage(tmp_path: Path, system: str, arguments: tuple[str, ...], says: str) -> None:
    program(tmp_path)
    (tmp_path / "file").touch()
    if not arguments and Path("/opt/motesklar/bin/motesklar").exists():
        pytest.skip("it is installed here")
    done = shortcut(system, tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not (tmp_path / ".local").exists()
    assert not (tmp_path / "Applications").exists()


@pytest.mark.parametrize("name", ["100%", "a$b", 'a"b', "a|b", "a&b", "a`b", "a\\b", "a\nb"])
def test_a_path_that_an_entry_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    done = shortcut("linux", tmp_path, program(tmp_path / name))
    assert done.returncode == 2
    assert "cannot" in done.stderr
    assert not (tmp_path / ".local").exists()


# ---- macOS: made by the same sh here, never run there


def test_the_application_of_macos(tmp_path: Path) -> None:
    mine = program(tmp_path / "Anna's bin")
    (file := tmp_path / "settings.toml").touch()
    assert shortcut("macos", tmp_path, "--settings", file, mine).returncode == 0
    contents = tmp_path / "Applications/Mötesklar.app/Contents"
    found = plistlib.loads((contents / "Info.plist").read_bytes())
    assert found["NSCameraUsageDescription"]
    assert found["NSMicrophoneUsageDescription"]
    assert (contents / f"Resources/{found['CFBundleIconFile']}.icns").read_bytes()[:4] == b"icns"
    english = (contents / "Resources/en.lproj/InfoPlist.strings").read_text("utf-8")
    assert set(re.findall(r'^"(\w+)" = ".+";$', english, re.MULTILINE)) == {
        k for k in found if k.endswith("Description")
    }
    subprocess.run([str(contents / "MacOS" / found["CFBundleExecutable"])], check=True, timeout=20)
    assert mine.with_name("started").read_text("utf-8").splitlines() == ["ui", "--settings", str(file)]
    assert shortcut("macos", tmp_path, "--remove").returncode == 0
    assert not contents.exists()


def test_the_icon_of_macos() -> None:
    data = (FOLDER / "macos/motesklar.icns").read_bytes()
    assert struct.unpack(">4sI", data[:8]) == (b"icns", len(data))
    at, sizes = 8, {}
    while at < len(data):
        kind, length = struct.unpack(">4sI", data[at : at + 8])
        sizes[kind] = size(data[at + 8 : at + length])
        at += length
    assert sizes == {
        b"ic11": (32, 32),
        b"ic12": (64, 64),
        b"ic07": (128, 128),
        b"ic08": (256, 256),
        b"ic09": (512, 512),
    }


# ---- Windows: for its form only, never run


def test_the_shortcut_of_windows() -> None:
    script = (FOLDER / "windows/shortcut.ps1").read_bytes().decode("ascii")
    code = re.sub(r"#.*", "", script)
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing) > 0
    assert code.count('"') % 2 == 0
    assert '"ui"' in code
    head = code[: code.index("Set-StrictMode")]
    assert set(re.findall(r"\[(?:switch|string)\]\$(\w+)", head)) == {
        "AllUsers", "Desktop", "Remove", "Program", "Settings",
    }  # fmt: skip


def test_the_icon_of_windows() -> None:
    data = (FOLDER / "windows/motesklar.ico").read_bytes()
    _, kind, count = struct.unpack("<HHH", data[:6])
    assert (kind, count) == (1, 6)
    for at in range(6, 6 + 16 * count, 16):
        wide, high, *_, length, begins = struct.unpack("<BBBBHHII", data[at : at + 16])
        assert size(data[begins : begins + length]) == (wide or 256, high or 256)


def size(picture: bytes) -> tuple[int, int]:
    """Of a PNG with an alpha channel."""
    assert picture.startswith(PNG)
    wide, high, depth, colour = struct.unpack(">IIBB", picture[16:26])
    assert (depth, colour) == (8, 6)
    return wide, high


# ---- all


def test_one_icon_everywhere() -> None:
    drawing = (FOLDER / "linux/motesklar.svg").read_bytes()
    for page in ("agent/ui/web", "testroom/guests/web"):
        assert (ROOT / page / "icon.svg").read_bytes() == drawing, page


def test_every_file_is_in_the_document() -> None:
    text = (ROOT / "docs/staff-page.md").read_text("utf-8")
    named = {"linux/shortcut", "macos/shortcut", "windows/shortcut.ps1"}
    assert {name for name in named if f"packaging/{name}" in text} == named


def test_the_settings_of_the_document_are_settings() -> None:
    import tomllib

    from agent.settings import parse

    text = (ROOT / "docs/staff-page.md").read_text("utf-8")
    for example in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        found = parse(tomllib.loads(example), "docs/staff-page.md")
        assert found.room.url
        assert json.dumps(found.meeting.profile)
