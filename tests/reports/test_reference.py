"""Reference codes: unambiguous and checked; a self-test's is the same every time, and rarely another's."""

from __future__ import annotations

import re

import pytest

from reports.reference import ALPHABET, code_of, new_code, read_code


def test_a_self_tests_code_is_always_the_same() -> None:
    assert code_of("r1") == code_of("r1") == read_code(code_of("r1").lower().replace("-", " "))
    assert len({code_of(f"run {n}") for n in range(5000)}) == 5000


def test_a_code_is_short_and_reads_as_it_was_given_out() -> None:
    for code in (code_of("r1"), *(new_code() for _ in range(200))):
        assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
        assert read_code(code) == code
        assert read_code(f" {code.lower().replace('-', ' ')} ") == code


def test_no_sign_looks_like_another() -> None:
    assert not set(ALPHABET) & set("0O1IL2Z5SBU")
    assert len(set(ALPHABET)) == len(ALPHABET) == 23


def test_every_wrong_sign_and_every_exchange_is_found() -> None:
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
def test_it_is_no_code(text: str) -> None:
    assert read_code(text) is None
