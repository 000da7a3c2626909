"""The table as PDF/UA: tagged, titled, in its language, and whole."""

from __future__ import annotations

import pytest

from reports.advice import Lang
from reports.readiness import pdf
from tests.reports.pdfs import Pdf
from tests.reports.readiness.made import a_report, latest, self_test


@pytest.mark.parametrize(("lang", "title"), [("sv", "Redo för videomöten"), ("en", "Ready for video meetings")])
def test_tagged_titled_and_in_its_language(lang: Lang, title: str) -> None:
    document = Pdf(pdf.render(a_report(), lang))
    document.check(lang)
    assert document.reader.metadata is not None
    assert document.reader.metadata.title == f"{title}: Håbo kommun"
    assert document.tags.count("Table") == 3 + 3  # sums, units, work; and each unit's machines
    assert document.fonts_are_embedded()
    assert [name for name in ("PC-0001", "PC-0006", "Söder & Öst") if name not in document.text] == []


def test_many_pages_repeat_the_head_and_name_all() -> None:
    machines = [latest(n, self_test(run_id=f"r{n}"), name=f"N{n:03}") for n in range(80)]
    document = Pdf(pdf.render(a_report(machines), "sv"))
    assert len(document.reader.pages) > 2
    assert [n for n in range(80) if f"N{n:03}" not in document.text] == []
    document.check("sv")


@pytest.mark.parametrize("name", ["*fet* #eval $x$", "漢字🙂", "a\u202eb", "= rubrik", "\\ @x <y>", "‑–—’”"])
def test_any_name_is_text(name: str) -> None:
    document = Pdf(pdf.render(a_report([latest(1, name=name)]), "sv"))
    document.check("sv")
    assert "#eval" in document.text or "eval" not in name


def test_an_empty_table() -> None:
    document = Pdf(pdf.render(a_report([]), "sv"))
    document.check("sv")
    assert "inga datorer" in document.text
