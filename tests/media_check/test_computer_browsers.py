"""Browsers: the real one of this computer, and trees of files as each system keeps them."""

from __future__ import annotations

import plistlib
import shutil
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from media_check import computer_browsers as browsers
from media_check import computer_browsers_linux as linux
from media_check import computer_browsers_macos as macos
from media_check import computer_browsers_windows as windows
from media_check.computer_browsers import Browser, judge, newest, version_in
from tests.media_check.computing import errand, tree

CHROMIUM = shutil.which("chromium")
ENTRY = "[Desktop Entry]\nName=X\nExec={}\nMimeType=text/html;x-scheme-handler/https;\n[Desktop Action new]\nExec=other"


@pytest.mark.parametrize(("text", "version"), [
    ("Mozilla Firefox 128.5.0esr", 128),
    ("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)", 156),
    ("128.0 (x64 sv-SE)", 128),
    ("18", 18),
    ("", None),
    ("no number", None),
    ("x64", None),
])  # fmt: skip
def test_the_first_number_of_a_version(text: str, version: int | None) -> None:
    assert version_in(text) == version


@pytest.mark.parametrize(("found", "lowest", "word"), [
    ([("chrome", 140)], {"chrome": 120}, "good"),
    ([("chrome", 120)], {"chrome": 120}, "good"),
    ([("chrome", 119)], {"chrome": 120}, "old"),
    ([("chrome", 119), ("firefox", 140)], {"chrome": 120, "firefox": 128}, "good"),
    ([("firefox", 140)], {"chrome": 120}, "missing"),
    ([("chromium", 140)], {"chrome": 120}, "good"),
    ([("chromium", 90)], {"chrome": 120}, "old"),
    ([("chromium", 90)], {"chrome": 120, "chromium": 80}, "good"),
    ([("edge", 140)], {"chrome": 120}, "missing"),
    ([("chrome", None)], {"chrome": 120}, "unknown"),
    ([("chrome", None), ("edge", 100)], {"chrome": 120, "edge": 120}, "unknown"),
    ([("chrome", None), ("edge", 130)], {"chrome": 120, "edge": 120}, "good"),
    ([("chrome", None)], {}, "good"),
    ([], {}, "missing"),
    ([], {"chrome": 1}, "missing"),
])  # fmt: skip
def test_the_word(found: list[tuple[str, int | None]], lowest: dict[str, int], word: str) -> None:
    assert judge([Browser(*pair) for pair in found], lowest) == word


def test_of_each_name_the_newest_counts() -> None:
    found = [Browser("firefox", None), Browser("firefox", 128), Browser("chrome", 2), Browser("firefox", 115)]
    assert newest(found) == (Browser("chrome", 2), Browser("firefox", 128))


def its_own_word() -> int:
    said = subprocess.run([str(CHROMIUM), "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    return int(said.removeprefix("Chromium ").split(".")[0])


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_this_computers_own_browser_tells_its_version() -> None:
    version = its_own_word()
    assert Browser("chromium", version) in await browsers.discover()
    for lowest, word in ((version, "good"), (version + 1, "old")):
        part = await browsers.ask(errand(browsers={"chrome": lowest}))
        assert part.facts["browser"] == word
        assert f"chromium {version}" in part.facts["browsers"]  # type: ignore[operator]


# ---- Linux --------------------------------------------------------------------------------------------------------


def program(path: Path, script: str) -> Path:
    tree(path.parent, {path.name: f"#!/bin/sh\n{script}"})
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_programs_on_the_path_are_asked_and_one_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "firefox", 'test "$1" = --version && echo Mozilla Firefox 128.0')
    program(tmp_path / "google-chrome", "sleep 60 | cat")
    program(tmp_path / "microsoft-edge", "exit 1")
    program(tmp_path / "strange-browser", f"touch {tmp_path}/started")
    tree(tmp_path, {"share/applications/strange.desktop": ENTRY.format(tmp_path / "strange-browser")})
    for name, value in (("PATH", f"{tmp_path}:/usr/bin:/bin"), ("XDG_DATA_HOME", f"{tmp_path}/share")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(linux, "VERSION_S", 0.5)
    found = await linux.discover()
    for wanted in (Browser("firefox", 128), Browser("chrome", None), Browser("edge", None)):
        assert wanted in found
    assert not (tmp_path / "started").exists()


async def test_a_browser_without_a_version_is_unknown_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "firefox", "echo what?")
    for name in ("PATH", "HOME", "XDG_DATA_DIRS"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(linux, "VERSION_S", 0.5)
    part = await browsers.ask(errand(browsers={"firefox": 128}))
    assert part.facts == {"browsers": ("firefox",)}
    assert "did not tell its version" in part.unknown["browser"]


def test_links_to_one_program_count_once(tmp_path: Path) -> None:
    real = program(tmp_path / "bin" / "google-chrome-stable", "")
    (tmp_path / "bin" / "google-chrome").symlink_to(real)
    found = linux.candidates({"PATH": str(tmp_path / "bin"), "XDG_DATA_DIRS": str(tmp_path), "HOME": str(tmp_path)})
    assert list(found.values()) == ["chrome"]


def test_desktop_entries_of_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    firefox, flatpak = program(tmp_path / "firefox-esr", ""), program(tmp_path / "flatpak", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert linux.browser_in(ENTRY.format(f"{firefox} %u")) == ((str(firefox),), "firefox")
    app = linux.browser_in(ENTRY.format("flatpak run --branch=stable org.mozilla.firefox @@u %u @@"))
    assert app == ((str(flatpak), "org.mozilla.firefox"), "firefox")
    for text in (
        ENTRY.format(f"{tmp_path}/gone %u"),
        ENTRY.format('"unclosed'),
        ENTRY.format(""),
        ENTRY.format(str(firefox)).replace("https", "mailto"),
        ENTRY.format(str(firefox)).replace("Name=X", "Hidden=true"),
        "",
    ):
        assert linux.browser_in(text) is None, text


# ---- macOS and Windows: parsing only -------------------------------------------------------------------------------


def test_macos_applications(tmp_path: Path) -> None:
    for folder, content in {
        "Safari": {"CFBundleIdentifier": "com.apple.Safari", "CFBundleShortVersionString": "18.1.1"},
        "Renamed": {"CFBundleIdentifier": "com.google.Chrome", "CFBundleShortVersionString": "141.0.7390.55"},
        "Bare": {"CFBundleIdentifier": "org.mozilla.firefox"},
        "Other": {"CFBundleIdentifier": "com.example.editor", "CFBundleShortVersionString": "1.0"},
    }.items():
        tree(tmp_path, {f"{folder}.app/Contents/Info.plist": plistlib.dumps(content).decode()})
    tree(tmp_path, {"Broken.app/Contents/Info.plist": "<plist><dict>", "List.app/Contents/Info.plist": "no list"})
    found = macos.discover([tmp_path, tmp_path / "missing"])
    assert newest(found) == (Browser("chrome", 141), Browser("firefox", None), Browser("safari", 18))


class Registry:
    """The few functions of winreg that are used, on a dictionary: key path to values."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = "machine", "user"

    def __init__(self, keys: dict[tuple[str, str], dict[str, Any]]) -> None:
        self._keys = keys

    def OpenKey(self, hive: str, path: str) -> Any:
        under = [k for k in self._keys if k[0] == hive and f"{k[1]}\\".startswith(f"{path}\\")]
        if not under:
            raise FileNotFoundError
        children = sorted({k[1][len(path) + 1 :].split("\\")[0] for k in under} - {""})
        return _Key(values=self._keys.get((hive, path), {}), children=children)

    def QueryInfoKey(self, key: Any) -> tuple[int, int, int]:
        return len(key.children), len(key.values), 0

    def EnumKey(self, key: Any, index: int) -> str:
        return str(key.children[index])

    def QueryValueEx(self, key: Any, name: str) -> tuple[Any, int]:
        if name not in key.values:
            raise FileNotFoundError
        return key.values[name], 1


class _Key(SimpleNamespace):
    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_windows_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    def program_(title: Any, version: str) -> dict[str, Any]:
        return {"DisplayName": title, "DisplayVersion": version}

    registry = Registry({
        ("machine", rf"{windows.UNINSTALL}\A"): program_("Mozilla Firefox (x64 sv-SE)", "128.5.0"),
        ("machine", rf"{windows.UNINSTALL}\B"): program_("Mozilla Maintenance Service", "140.0"),
        ("machine", rf"{windows.UNINSTALL}\C"): program_(17, "1.0"),
        ("machine", rf"{windows.UNINSTALL_32}\D"): program_("Microsoft Edge", "141.0.3537.57"),
        ("machine", rf"{windows.UNINSTALL_32}\E"): program_("Microsoft Edge WebView2 Runtime", "150.0"),
        ("user", r"SOFTWARE\Google\Chrome\BLBeacon"): {"version": "142.0.7444.60"},
    })  # fmt: skip
    monkeypatch.setattr(windows, "_winreg", lambda: registry)
    assert newest(windows.discover()) == (Browser("chrome", 142), Browser("edge", 141), Browser("firefox", 128))


def test_an_empty_windows_registry_has_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_winreg", lambda: Registry({}))
    assert windows.discover() == ()
