"""`motesklar readiness` and the receipts of `check`, by the real program: files, terminal, and mistakes in a line."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import cli
from reports.readiness.serial import from_json
from reports.reference import code_of, read_code
from reports.store.incoming import record_of
from reports.store.store import Store
from tests.agent.program import one_line, run
from tests.reports.store.rows import A, B
from tests.reports.store.rows import run as a_test


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "fleet.db"
    filled = Store.open(f"sqlite:///{path}")
    now = time.time()
    filled.take([record_of("habo", A, a_test("r1", now - 60), now)])
    filled.name_machines("habo", f"machine;name;unit\n{A};Dator 1;Norr\n{B};Dator 2;Söder\n")
    filled.close()
    return path


def test_all_files_at_once(tmp_path: Path, store: Path) -> None:
    files = {name: tmp_path / f"table.{name}" for name in ("html", "pdf", "csv", "json")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = run(tmp_path, "readiness", "--store", store, "--organisation", "habo", "--lang", "sv", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "Redo för videomöten: habo" in files["html"].read_text("utf-8")
    assert files["pdf"].read_bytes().startswith(b"%PDF-")
    assert files["csv"].read_bytes().startswith(b"\xef\xbb\xbfEnhet;")
    report = from_json(json.loads(files["json"].read_bytes()))
    assert [(row.name, row.standing) for row in report.machines] == [("Dator 1", "ready"), ("Dator 2", "untested")]


def test_the_terminal_and_one_unit(tmp_path: Path, store: Path) -> None:
    done = run(tmp_path, "readiness", "--store", f"sqlite:///{store}", "--organisation", "habo", "--unit", "Norr")
    assert done.returncode == 0
    assert "1 of 1 computers are ready" in done.stdout
    assert "Dator 2" not in done.stdout


MISTAKES = [
    ((), "whose readiness? Give --room URL"),
    (("--room", "embedded"), "whose readiness?"),
    (("--room", "stamp://127.0.0.1"), "plain STAMP"),
    (("--store", "STORE"), "say which by --organisation"),
    (("--organisation", "habo", "--room", "https://127.0.0.1:1"), "--organisation goes with --store"),
    (("--store", "nowhere.db", "--organisation", "habo"), "there is no file"),
    (("--store", "mysql://x/y", "--organisation", "habo"), "sqlite:///FILE or postgresql://"),
    (("--store", "STORE", "--room", "https://127.0.0.1:1"), "contradict"),
    (("--store", "STORE", "--organisation", "habo", "--unit", "Nor"), "there is no machine in 'Nor'"),
    (("--store", "STORE", "--organisation", "habo", "--pdf", "none/x.pdf"), "--pdf: there is no folder none"),
    (("--store", "STORE", "--organisation", "habo", "--csv", "."), "is a folder"),
    (("--room", "https://127.0.0.1:1#sha256=" + "0" * 64), "no test room runs there"),
    (("--room", "https://127.0.0.1:1", "--policy", "x.toml"), "--policy goes with --store"),
]


@pytest.mark.parametrize(("options", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes_are_told_in_a_line(
    tmp_path: Path, store: Path, options: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The command line within this process, in an empty home."""
    given = [str(store) if option == "STORE" else option for option in options]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["motesklar", "readiness", *given])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("MOTESKLAR_SETTINGS", "MOTESKLAR_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def room_url(store: Path) -> Iterator[str]:
    """A running room of this process, in a thread of its own."""
    import asyncio

    from testroom.server import RoomSettings, TestRoom
    from tests.testroom.fleet.make import TOKENS
    from tests.testroom.https import PAIR

    loop, ready, urls = asyncio.new_event_loop(), threading.Event(), list[str]()
    stop = asyncio.Event()

    async def serve() -> None:
        async with TestRoom(RoomSettings(certificate=PAIR, tokens=TOKENS, store=f"sqlite:///{store}")) as room:
            urls.append(room.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(20)
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def test_from_a_room_by_its_token(tmp_path: Path, room_url: str) -> None:
    from tests.testroom.https import TOKEN

    done = run(tmp_path, "readiness", "--room", room_url, "--json", "-", MOTESKLAR_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert [row.name for row in from_json(json.loads(done.stdout)).machines] == ["Dator 1", "Dator 2"]
    assert "does not accept this token" in one_line(
        run(tmp_path, "readiness", "--room", room_url, MOTESKLAR_TOKEN="no")
    )


def test_receipts_of_a_check(tmp_path: Path) -> None:
    page, pdf = tmp_path / "receipt.html", tmp_path / "receipt.pdf"
    page.write_text("an earlier one")
    done = run(tmp_path, "check", "--only", "echo", "--seconds", 1, "--json", "--html", page, "--pdf", pdf)
    document = json.loads(done.stdout)
    code = code_of(document["run_id"])
    assert read_code(code) == code
    assert code in done.stderr
    assert code in page.read_text("utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert sorted(path.name for path in tmp_path.glob(".*.motesklar")) == []


@pytest.mark.parametrize("option", ["--html", "--pdf"])
def test_a_receipt_that_cannot_be_written_is_told_before_the_test(tmp_path: Path, option: str) -> None:
    begun = time.monotonic()
    said = one_line(run(tmp_path, "check", "--seconds", 30, option, tmp_path / "none" / "x"))
    assert f"{option}: there is no folder {tmp_path / 'none'}" in said
    assert time.monotonic() - begun < 10
    assert "name a file" in one_line(run(tmp_path, "check", "--seconds", 30, option, "-"))
