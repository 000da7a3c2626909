"""The page as a file: whole, escaped, in both languages, and fast."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from reports.advice import Lang
from reports.readiness import html
from reports.readiness.shapes import STANDINGS
from reports.readiness.words import standing_text
from tests.reports.readiness.made import a_fleet, a_report, latest, self_test

VOID = {"meta", "link", "br", "hr", "img", "input", "rect"}


class Page(HTMLParser):
    """Tags in order, each closed; and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._open = "", list[str]()
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(("lang", "words"), [("sv", "Redo för videomöten"), ("en", "Ready for video meetings")])
def test_the_whole_table(lang: Lang, words: str) -> None:
    page = Page(html.render(a_report(), lang))
    assert page.all("html") == [{"lang": lang}]
    assert f"{words}: Håbo kommun" in page.text
    assert [standing for standing in STANDINGS if standing_text(standing, lang) not in page.text] == []
    assert len(page.all("h1")) == 1
    rows = [a for a in page.all("th") if a.get("scope") == "row"]
    assert len(rows) == 6 + 3 + 5  # machines, units, things to do
    assert page.all("a") == page.all("script") == page.all("img") == page.all("nav") == []
    assert "…" not in page.text.replace("22… ", "") or "ef2d127d…" in page.text


def test_signs_have_words() -> None:
    signs = [a for a in Page(html.render(a_report(), "sv")).all("span") if a.get("role") == "img"]
    assert len(signs) == 6 * 8
    assert {a["aria-label"] for a in signs} == {"Bra", "Sådär", "Räcker inte", "Vet inte", "Inte testat"}


def test_names_are_text() -> None:
    evil = "<script>alert(1)</script>\" onload='x"
    page = Page(html.render(a_report([latest(1, self_test(), name=evil, unit=evil, room=evil)]), "sv"))
    assert page.text.count(evil) == 3  # unit, machine and room
    assert page.all("script") == []


def test_an_empty_table_says_so() -> None:
    page = Page(html.render(a_report([]), "sv"))
    assert "Här finns inga datorer ännu." in page.text
    assert page.all("table") == []


def test_ways_lead_where_they_should() -> None:
    swedish, english, unit = "/readiness?lang=sv", "/readiness?lang=en", "/readiness?unit=S%C3%B6der+%26+%C3%96st"
    groups = (("Språk", ((swedish, "Svenska"), (english, "English"))),)
    ways = html.Ways(groups, frozenset({swedish}), {"Söder & Öst": unit})
    page = Page(html.render(a_report(), "sv", ways))
    assert [(a["href"], a.get("aria-current")) for a in page.all("a")] == [
        (swedish, "page"),
        (english, None),
        (unit, None),
    ]


def test_two_thousand_machines_take_less_than_a_second() -> None:
    machines = (a_fleet() * 334)[:2000]
    begun = time.process_time()
    text = html.render(a_report(machines), "sv")
    taken = time.process_time() - begun
    assert text.count("<tr>") > 2000
    assert taken < 1.0
