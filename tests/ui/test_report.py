"""The report to hand over: what is in it, what is not, and that it fits an e-mail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ui.handover import report_pdf, report_text
from agent.ui.report import WIDTH
from reports.advice import Lang
from reports.record import DeviceRecord, Fact, Failure, Measurement, SelfTest
from reports.reference import code_of
from tests.reports.make import POLICY, echo, link
from tests.reports.pdfs import Pdf
from tests.ui.handed import WIFI, generic, options, seen, self_test

PORTAL_BROKEN = seen("join_portal", "eth0", "portal_error")
ALMOST_ALL = self_test(
    seen("path", values={"path_hops": 4.0, "gateway_rtt_p50_seconds": 0.002}),
    echo(loss_up_ratio=0.2, mos_up=3.0, rtt_p95_seconds=0.08), seen("dns", failure="dns_timeout"), PORTAL_BROKEN,
)  # fmt: skip


def flat(report: str) -> str:
    return " ".join(report.split())


@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize("test", [self_test(), ALMOST_ALL, self_test(room=False)], ids=["well", "bad", "no room"])
def test_it_fits_an_email(test: SelfTest, lang: Lang) -> None:
    report = report_text(test, options(), lang)
    assert 0 < max(map(len, report.splitlines())) <= WIDTH + 20
    assert not re.search(r"\bui\.|\{|\}|\bNone\b|…", report)
    assert "\n\n\n" not in report
    assert not [row for row in report.splitlines() if row != row.rstrip()]


def test_what_is_in_it() -> None:
    report = flat(report_text(ALMOST_ALL, options(), "sv"))
    for said in (
        f"Referenskod: {code_of('r1')}",
        "Testet gjordes: 2027-01-15 09:00 (svensk tid)",
        "Mötestjänst: Videomöten, Region Jönköpings län",
        "Omdöme: Ring support.",
        "Gör så här: Ring kommunens IT-support.",
        "1. Din egen organisations IT-support (kommunens) 2. Regionens IT-support",
        "ring in. Telefonnumret och möteskoden står i mötesinbjudan.",
        "- nätverkskabel: används, testad",
        "- Kamera: USB camera (USB, datorns förval)",
        "[+] Bra, [!] Sådär, [X] Räcker inte, [?] Vet inte",
        "[X] Inloggningssidan Inloggningssidan har ett fel just nu.",
        "[X] Tappat på vägen från dig: 20 % (högst 3 %)",
        "Gränsen kommer från: Cisco (högst 1 %); Google Meet (under 3 %)",
        "Underlag: Felkod: dns_timeout (dns). Testets egna ord: status 503.",
        "- Routrar på vägen: 4 [path_hops]",
        "- Vanlig svarstid från närmaste router: 2 ms [gateway_rtt_p50_seconds]",
        "Programversion: Mötesklar 0.1.0, Linux 6.18",
        "Testets id: r1",
        "Inget har spelats in.",
    ):
        assert said in report, said


def test_a_link_by_which_nothing_went_was_not_tested() -> None:
    local = seen("local", values={"cpu_busy_ratio": 0.2})
    assert "- nätverkskabel: används\n" in report_text(self_test(local, room=False), options(room=False), "sv")


def test_a_remark_goes_on_where_the_headline_stops() -> None:
    dark = seen("camera", "USB camera", camera_picture="dark")
    report = flat(report_text(self_test(dark), options(), "sv"))
    assert "Omdöme: Fungerar, men … De andra ser dig dåligt: det är för mörkt." in report


def test_links_that_were_compared() -> None:
    lead = {"mos_difference": 0.4, "mos_difference_ci95_low": 0.25, "mos_difference_ci95_high": 0.55}
    links = (WIFI, link())
    seen_to_be = seen("compare", "eth0", values=lead, told_apart=True)
    report = flat(report_text(self_test(seen_to_be, links=links), options(), "sv"))
    assert "Bäst i samma sekunder: nätverkskabel. Ljudbetyget är 0,25–0,55 högre" in report
    report = flat(report_text(self_test(seen("compare", "eth0", told_apart=False), links=links), options(), "sv"))
    assert "Anslutningarna kunde inte skiljas åt i det här testet. Använd nätverkskabel." in report


def test_every_value_that_was_measured_is_in_it() -> None:
    report = flat(report_text(ALMOST_ALL, options(), "en"))
    from reports.advice.words import label, quantity_text

    measured = [(name, value) for m in ALMOST_ALL.measurements for name, value in m.values.items()]
    assert len(measured) > 5
    for name, value in measured:
        assert re.search(
            re.escape(label(name, "en")) + ".{0,20}" + re.escape(flat(quantity_text(name, value, "en"))), report
        ), name


def test_every_row_of_the_policy_that_was_judged_has_its_source() -> None:
    report = flat(report_text(ALMOST_ALL, options(), "en"))
    sources = {POLICY.rows[f.rule].source for f in ALMOST_ALL.verdict.findings if f.rule in POLICY.rows}
    assert len(sources) > 5
    assert all(source in report for source in sources)


def test_all_well_asks_nobody_to_call() -> None:
    report = report_text(self_test(), generic(), "sv")
    assert "Hit vänder du dig" not in report
    assert "Mötestjänst" not in report


SECRETS = ("Annas iPhone", "Hembränt 5G", "192.0.2.7", "2001:db8::7", "aa:bb:cc:dd:ee:ff")


def planted() -> SelfTest:
    """Names and addresses at every place of a record that a probe fills with words."""
    said = "seen by Annas iPhone and Hembränt 5G at 192.0.2.7, 2001:db8::7 (aa:bb:cc:dd:ee:ff)"
    wifi = replace(
        WIFI, name="Annas iPhone", addresses=("192.0.2.7", "2001:db8::7"), gateway="192.0.2.7", evidence=(said,)
    )
    links = (wifi, link("Hembränt 5G", "mobile", evidence=(said,)), link("eth0"))
    facts: dict[str, Fact] = {"candidate_pair": said, "browsers": (said,), "mode": said, "better_device": said}
    seen_by = [_planted(m, said, facts) for m in self_test(links=links).measurements]
    seen_by.append(Measurement("dns", "Annas iPhone", 1.8e9, 1.0, failure=Failure("dns", "dns_timeout", said)))
    seen_by.append(Measurement("echo", "Hembränt 5G", 1.8e9, 1.0, {"rtt_p95_seconds": 0.2}))
    made = self_test(*seen_by, links=links)
    return replace(made, devices=(DeviceRecord("camera", "USB camera", "usb", 0.9, (said,), True),))


def _planted(m: Measurement, said: str, facts: dict[str, Fact]) -> Measurement:
    return replace(m, facts={**m.facts, **facts, "power": "unknown", "power_unknown": said}, unknown={"mos_up": said})


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_no_name_and_no_address_is_in_it(lang: Lang) -> None:
    test = planted()
    assert test.verdict.action == "use_cable"
    report, document = report_text(test, options(), lang), Pdf(report_pdf(test, options(), lang)).text
    for secret in SECRETS:
        assert secret not in flat(report), secret
        assert secret not in flat(document), secret
    assert "seen by [wifi] and [mobile] at [address]" in flat(report)


ADDRESSES = st.ip_addresses().map(str)
NAMES = st.text("abcåäöÅÄÖéłñ日本0123 -_.(5)", min_size=3, max_size=20).map(lambda name: f"Eva {name.strip()}x")


@settings(max_examples=25, deadline=None)
@given(address=ADDRESSES, name=NAMES)
def test_whatever_the_link_is_called(address: str, name: str) -> None:
    wifi = replace(WIFI, name=name, addresses=(address,), evidence=(f"it is {name} at {address}",))
    failed = Measurement("dns", name, 1.8e9, 1.0, failure=Failure("dns", "dns_timeout", f"{name} asked {address}."))
    report = flat(report_text(self_test(failed, links=(wifi,)), options(), "sv"))
    assert name not in report
    assert f" {address}" not in report.replace("0.1.0", "")


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_the_pdf_is_the_receipt_with_the_routines_order_of_calling(lang: Lang) -> None:
    document = Pdf(report_pdf(self_test(PORTAL_BROKEN), options(), lang))
    document.check(lang)
    call = {"sv": "Ring kommunens IT-support.", "en": "Call the municipality's IT support."}
    assert call[lang] in flat(document.text)
    assert code_of("r1") in document.text
