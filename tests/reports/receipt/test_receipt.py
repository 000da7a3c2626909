"""The receipt of one self-test: what it says, and what it must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.advice import Lang
from reports.receipt import html, pdf
from reports.receipt.view import view
from reports.record import DeviceRecord, SelfTest
from reports.reference import code_of
from tests.reports.make import good, link
from tests.reports.pdfs import Pdf
from tests.reports.readiness.made import BAD, DAY, self_test

MONTH = 30 * DAY
LINKS = (link("Annas iPhone", "wifi", is_default=True), link("Berras hotspot", "wifi"), link("eth0"))
CAMERAS = (
    DeviceRecord("camera", "camera 1", "usb", 0.9, (), True),
    DeviceRecord("camera", "camera 2", "usb", 0.9, (), False),
)


def a_test(**values: float) -> SelfTest:
    return self_test(good(**values))


def named() -> SelfTest:
    """Links with persons' names, and a fault's evidence with an address."""
    test = self_test(good("Annas iPhone", **BAD), good("Berras hotspot"), links=LINKS, chosen="Annas iPhone")
    first, *rest = test.verdict.findings
    first = replace(first, params={**first.params, "program": "backup to 192.0.2.7"}, value="via 192.0.2.7")
    return replace(test, verdict=replace(test.verdict, findings=(first, *rest)), devices=CAMERAS)


@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize("test", [a_test(), a_test(**BAD), named()], ids=["ready", "not_ready", "named"])
def test_both_forms_say_the_same(test: SelfTest, lang: Lang) -> None:
    page, document = html.render(test, lang, MONTH), Pdf(pdf.render(test, lang, MONTH))
    document.check(lang)
    v = view(test, lang, MONTH)
    flat = " ".join(document.text.split())
    for said in (code_of(test.run_id), v.headline, test.run_id, v.lines[0].what):
        assert said in page
        assert said in flat
    assert f'<html lang="{lang}">' in page


def test_nothing_was_recorded_and_it_says_so() -> None:
    assert "Inget har spelats in." in html.render(a_test(), "sv", MONTH)
    assert "Nothing was recorded." in Pdf(pdf.render(a_test(), "en", MONTH)).text


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_no_names_and_no_addresses(lang: Lang) -> None:
    page, text = html.render(named(), lang, MONTH), Pdf(pdf.render(named(), lang, MONTH)).text
    for private in ("Anna", "Berra", "192.0.2", "eth0"):
        assert private not in page
        assert private not in text
    assert "wifi 1" in page
    assert "wifi 2" in page


def test_how_long_it_counts() -> None:
    facts = dict(view(a_test(), "sv", MONTH).facts)
    assert (facts["Testet gjordes"], facts["Gäller till"]) == ("2027-01-14 09:00", "2027-02-13")
    facts = dict(view(a_test(**BAD), "sv", MONTH).facts)
    assert facts["Gäller till"] == "Testet visar inte att datorn är redo."


def test_the_next_action_names_kinds_only() -> None:
    test = self_test(good("Annas iPhone"), links=LINKS, chosen="Annas iPhone")
    assert test.verdict.action == "use_cable"
    assert "så används kabeln." in view(test, "sv", MONTH).action


def test_markup_in_a_label_is_text() -> None:
    test = replace(a_test(), devices=(DeviceRecord("camera", "<b>x</b>", "usb", 0.9, (), True),))
    assert "&lt;b&gt;x&lt;/b&gt;" in html.render(test, "sv", MONTH)
