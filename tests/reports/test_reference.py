"""The code on a receipt: the same every time, rarely another's, and checked."""

from __future__ import annotations

from reports.reference import code_of, new_code, read_code


def test_a_self_tests_code_is_always_the_same() -> None:
    assert code_of("r1") == code_of("r1") == read_code(code_of("r1").lower().replace("-", " "))
    assert len({code_of(f"run {n}") for n in range(5000)}) == 5000


def test_a_mistyped_code_is_seen() -> None:
    for code in (code_of("r1"), new_code()):
        assert read_code(code) == code
        swapped = code[1] + code[0] + code[2:]
        assert read_code(swapped) is None or code[0] == code[1]
        assert read_code(("3" if code[0] != "3" else "4") + code[1:]) is None
