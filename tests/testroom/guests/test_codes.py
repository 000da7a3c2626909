"""Reference codes: unambiguous, checked, and forgotten in time."""

from __future__ import annotations

import re
import time

import pytest

from reports.record import AgentInfo, SelfTest, Verdict
from testroom.guests.codes import ALPHABET, Records, new_code, read_code

TEST = SelfTest("a", 0, 0, AgentInfo("", "", ""), "configured", False, (), (), Verdict("ready"))


def test_a_code_is_short_and_reads_as_it_was_given_out():
    for code in (new_code() for _ in range(200)):
        assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
        assert read_code(code) == code
        assert read_code(f" {code.lower().replace('-', ' ')} ") == code


def test_no_sign_looks_like_another():
    assert not set(ALPHABET) & set("0O1IL2Z5SBU")
    assert len(set(ALPHABET)) == len(ALPHABET) == 23


def test_every_wrong_sign_and_every_exchange_is_found():
    bare = new_code().replace("-", "")
    for place, right in enumerate(bare):
        for wrong in set(ALPHABET) - {right}:
            assert read_code(bare[:place] + wrong + bare[place + 1 :]) is None
    for a in range(8):
        for b in range(a + 1, 8):
            swapped = list(bare)
            swapped[a], swapped[b] = bare[b], bare[a]
            assert read_code("".join(swapped)) == (f"{bare[:4]}-{bare[4:]}" if bare[a] == bare[b] else None)


@pytest.mark.parametrize("text", ["", "3", "3333-333", "3333-33333", "OOOO-OOOO", "ſſſſ-ſſſſ", "3" * 10_000])
def test_it_is_no_code(text: str):
    assert read_code(text) is None


def test_the_oldest_is_forgotten_when_there_are_too_many():
    records = Records(most=3)
    codes = [records.keep(TEST) for _ in range(5)]
    assert len(records) == 3
    assert [records.find(code) is not None for code in codes] == [False, False, True, True, True]


def test_it_is_forgotten_after_its_time():
    records = Records(kept_s=0.05)
    code = records.keep(TEST)
    assert records.find(code) is TEST
    time.sleep(0.06)
    assert records.find(code) is None
    assert len(records) == 0
