"""A Swedish spreadsheet opens it rightly and runs nothing of it."""

from __future__ import annotations

import csv
import io
import re

import pytest

from reports.readiness import csv as table
from tests.reports.readiness.made import DAY, a_report, latest, machine, self_test


def read(raw: bytes) -> list[dict[str, str]]:
    """As Excel in Swedish reads it: the mark says UTF-8, `;` separates, lines end in CR LF."""
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    assert text.count("\r\n") == text.count("\n")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    assert {len(line) for line in lines} == {len(lines[0])}
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_a_line_for_each_machine() -> None:
    lines = read(table.render(a_report(), "sv"))
    assert [line["Läge"] for line in lines] == [
        "Redo", "Inte redo", "Redo, med anmärkning", "För gammalt test", "Aldrig testad", "Gick inte att avgöra",
    ]  # fmt: skip
    assert (lines[0]["Datorns id"], lines[0]["Dator"], lines[2]["Enhet"]) == (machine(1), "PC-0001", "Söder & Öst")
    assert [line["Nätkvalitet"] for line in lines[:3]] == ["Bra", "Räcker inte", "Sådär"]
    assert lines[1]["Vem"] == "kommunens IT-support"
    assert "Tappat på vägen från dig: 20\xa0% (högst 3\xa0%)" in lines[1]["Vad som ska åtgärdas, och vem"]
    assert lines[4]["Senaste test"] == lines[4]["Gäller till"] == lines[4]["Dygn kvar"] == ""


def test_iso_dates_and_decimal_commas() -> None:
    line, late = read(
        table.render(a_report([latest(1, self_test(ago=1.25 * DAY)), latest(2, self_test(ago=32.5 * DAY))]), "en")
    )
    assert line["Latest test"] == "2027-01-14 03:00"  # in Sweden
    assert line["Valid until"] == "2027-02-13"
    assert (line["Days left"], late["Days left"]) == ("28,8", "-2,5")


@pytest.mark.parametrize("evil", ["=1+1", "+46", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1", '=cmd|" /C calc"!A0'])
def test_no_cell_is_a_formula(evil: str) -> None:
    raw = table.render(a_report([latest(1, name=evil, unit=evil, room=evil)]), "sv")
    (line,) = read(raw)
    assert [line[head] for head in ("Enhet", "Rum", "Dator")] == [f"'{evil}"] * 3
    numbers = {"Dygn kvar"}
    assert [cell for head, cell in line.items() if head not in numbers and re.match(r"\s*[=+\-@＝]", cell)] == []


def test_separators_and_quotes_within_a_name_stay_within() -> None:
    (line,) = read(table.render(a_report([latest(1, name='a;b"c', room="d,e")]), "sv"))
    assert (line["Dator"], line["Rum"]) == ('a;b"c', "d,e")
