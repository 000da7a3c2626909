"""The card for the login: a real card service with virtual readers, and what is said without one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from media_check import computer, computer_card
from media_check.computer import Plan, _answer
from media_check.computer_card import NO_LIBRARY, NO_SERVICE, Readers, ask, judge, named, understood, usb_readers
from tests.media_check import computing
from tests.media_check.computing import errand, tree

real = pytest.mark.skipif(not computing.possible(), reason="needs root, pcscd and vsmartcard-vpcd")


@pytest.mark.parametrize(("found", "word"), [
    (Readers(1, 1), "card"), (Readers(2, 1), "card"), (Readers(1, 0), "no_card"), (Readers(0, 0), "no_reader"),
    (Readers(0, None), "no_reader"), (Readers(1, None), None), (Readers(None, None), None),
])  # fmt: skip
def test_the_word(found: Readers, word: str | None) -> None:
    assert judge(found) == word


@pytest.mark.parametrize("program", [False, None])
async def test_where_no_card_is_used_nothing_is_said_of_one(
    program: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computer_card, "card_program", lambda: program)
    monkeypatch.setattr(computer_card, "COMMAND", ("/nowhere",))  # and no card service is asked
    monkeypatch.setattr(computer, "QUICK", (Plan(ask, words=("card_reader",)),))
    monkeypatch.setattr(computer, "ENCODER", Plan(ask))
    draft = await computer.check(errand())
    assert draft.facts == ({} if program is None else {"card_program": False})
    assert draft.unknown == {}


@pytest.mark.parametrize(("said", "by_usb", "found"), [
    ({"readers": 2, "cards": 1}, 0, Readers(2, 1)),
    ({"service": False}, None, Readers(0, 0)),
    ({"service": False}, 0, Readers(0, 0)),
    ({"service": False}, 1, Readers(1, None, NO_SERVICE)),
    ({"missing": "smartcard"}, None, Readers(None, None, NO_LIBRARY)),
    ({"missing": "smartcard"}, 0, Readers(0, None, NO_LIBRARY)),
    ({"reason": "why"}, None, Readers(None, None, "why")),
    ({}, None, Readers(None, None, "the card service ended without an answer")),
])  # fmt: skip
def test_what_the_child_says_is_understood(said: dict[str, object], by_usb: int | None, found: Readers) -> None:
    assert understood(said, by_usb) == found


def test_readers_by_usb(tmp_path: Path) -> None:
    classes = {"1-1:1.0/bInterfaceClass": "0b", "1-2:1.0/bInterfaceClass": "0e", "1-3:1.1/bInterfaceClass": "0b"}
    assert usb_readers(tree(tmp_path, classes)) == 2
    assert usb_readers(tmp_path / "missing") is None


@pytest.mark.parametrize(("title", "found"), [
    ("SITHS eID", True), ("Net iD Enterprise", True), ("net id client", True),
    ("Absiths", False), ("Network identity", False), ("BankID", False),
])  # fmt: skip
def test_programs_for_logging_in_by_card(title: str, found: bool) -> None:
    assert named(["Editor", title]) is found


@pytest.fixture
def socket_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("smartcard", reason="pyscard is not installed")
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "pcscd.comm"))
    return tmp_path


async def words(expected: str, seconds: float = 8.0) -> dict[str, object]:
    """The facts, once the card service has noticed what was done to it."""
    end = time.monotonic() + seconds
    while (facts := dict((await ask(errand(card=True))).facts)).get("card_reader") != expected:
        assert time.monotonic() < end, facts
    return facts


@real
async def test_a_card_is_seen_in_its_reader_and_missed_when_it_is_taken_out(socket_of: Path) -> None:
    port = computing.free_port()
    with computing.card_service(socket_of, port):
        assert (await words("no_card"))["card_readers"] == 2
        with computing.card(port):
            assert (await words("card"))["card_readers"] == 2
        await words("no_card")


@real
async def test_a_card_service_without_a_reader(socket_of: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with computing.card_service(socket_of, None):
        monkeypatch.setattr(computer_card, "card_program", lambda: False)
        facts = (await ask(errand(card=True))).facts
        assert facts == {"card_readers": 0, "card_program": False, "card_reader": "no_reader"}
        monkeypatch.setattr(computer_card, "card_program", lambda: True)
        assert (await ask(errand())).facts["card_reader"] == "no_reader"


@real
async def test_a_card_service_that_hangs_is_left_at_the_deadline(socket_of: Path) -> None:
    with computing.card_service(socket_of, computing.free_port()) as service:
        os.kill(service.pid, signal.SIGSTOP)
        begun = time.monotonic()
        part = await _answer(Plan(ask, words=("card_reader",)), errand(card=True), 1.5)
        assert part.reason == "no answer in time"
        assert time.monotonic() - begun < 2.5


async def test_without_a_service_nothing_can_be_read(socket_of: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer_card, "USB", tree(socket_of, {"usb/1-1:1.0/bInterfaceClass": "0b"}) / "usb")
    part = await ask(errand(card=True))
    assert part.facts["card_readers"] == 1
    assert "card_reader" not in part.facts
    assert part.unknown["card_reader"] == NO_SERVICE


async def test_without_the_package_it_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"smartcard.py": "raise ImportError('none', name='smartcard')"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(computer_card, "USB", tmp_path / "no-usb")
    part = await ask(errand(card=True))
    assert "card_reader" not in part.facts
    assert part.unknown["card_reader"] == NO_LIBRARY
