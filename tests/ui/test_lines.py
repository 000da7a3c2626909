"""The details for IT: every finding with value, limit, meaning, source and evidence; what is not judged beside them."""

from __future__ import annotations

from dataclasses import replace

from agent.ui.handover import answer_of
from agent.ui.lines import cleared
from agent.ui.state import Answer, Line
from reports.record import Failure, SelfTest
from tests.reports.make import link
from tests.ui.handed import CABLE, PHONE, WIFI, options, seen, self_test

INTERVAL = {"loss_up_ratio": 0.02, "loss_up_ratio_ci95_low": 0.01, "loss_up_ratio_ci95_high": 0.04}


def answer(test: SelfTest) -> Answer:
    return answer_of(test, options(), {})


def line(found: Answer, what: str) -> Line:
    (one,) = [each for each in found.lines if each.what["sv"].startswith(what)]
    return one


def flat(words: str) -> str:
    return words.replace("\u00a0", " ")


def test_every_finding_has_its_line_and_what_is_not_judged_its_value() -> None:
    test = self_test(seen("path", values={"path_hops": 4.0, "gateway_rtt_p50_seconds": 0.002}))
    found = answer(test)
    assert len(found.lines) == len(test.verdict.findings) > 8
    values = {each.what["sv"]: flat(each.value["sv"]) for each in found.values}
    assert values == {"Routrar på vägen": "4", "Vanlig svarstid från närmaste router": "2 ms"}


def test_a_value_with_its_limit_source_and_interval() -> None:
    found = line(answer(self_test(seen("echo", values=INTERVAL))), "Tappat på vägen från dig")
    assert (found.level, flat(found.value["sv"]), flat(found.limit["sv"])) == ("degraded", "2 %", "under 0,5 %")
    assert found.means["sv"] == "De andra kan missa enstaka ord och se bilden stanna kort."
    assert found.source == "Cisco (at most 1 %); Google Meet (under 3 %)"
    assert flat(found.evidence["sv"]) == "95 %-intervall: 1 % till 4 %. Ansvarig: kommunens IT-support."


def test_the_share_of_this_computer() -> None:
    found = line(answer(self_test(seen("echo", values={"rtt_p95_seconds": 0.02, "rtt_floor_seconds": 0.0002}))), "Förd")
    assert flat(found.evidence["sv"]) == "Av det lägger datorn själv till 0,2 ms."


def test_why_it_failed_is_the_probes_own_word() -> None:
    found = line(answer(self_test(seen("call", failure="ice_failed"))), "Provsamtal")
    assert found.value["sv"] == ""
    assert found.evidence["en"].startswith("call: ice_failed (status 503). ")


def test_a_step_of_the_way_in_is_called_by_its_name() -> None:
    found = line(answer(self_test(seen("join_portal", failure="portal_error"))), "Inloggningssidan")
    assert (found.level, found.what["en"]) == ("not_ready", "The login page")
    assert line(answer(self_test(seen("dns", failure="dns_timeout"))), "Test av namnuppslagning").level == "degraded"


def test_why_nothing_is_known() -> None:
    test = self_test(seen("computer", "computer", power="unknown", power_unknown="this program may not look at it"))
    found = line(answer(test), "Strömförsörjning")
    assert (found.level, found.evidence["sv"]) == ("unknown", "computer: this program may not look at it.")


def test_other_facts_that_tell_more() -> None:
    test = self_test(seen("microphone", "Headset microphone", microphone_sound="hum", sound_faults=("hum", "noise")))
    assert line(answer(test), "Ljudet från mikrofonen").evidence["sv"] == "Hört i ljudet: brum, brus."


def test_a_fact_stands_beside_the_value_that_it_explains() -> None:
    test = self_test(seen("computer", "computer", browser="old", browsers=("firefox 60", "chrome"), power="saving"))
    found = answer(test)
    assert line(found, "Webbläsare").evidence["en"].startswith("On this computer: firefox 60, chrome. ")
    assert line(found, "Strömförsörjning").evidence["en"] == ""


def test_a_fault_has_the_diagnosis_remarks_as_evidence_and_no_source() -> None:
    path = seen("path", "wlan0", values={"gateway_loss_ratio": 0.2, "gateway_loss_ratio_ci95_low": 0.16,
                                         "gateway_loss_ratio_ci95_high": 0.25, "wifi_signal_dbm": -82.0})  # fmt: skip
    loss = {"loss_ratio": 0.2, "loss_ratio_ci95_low": 0.17, "loss_ratio_ci95_high": 0.23, "loss_up_ratio": 0.2}
    found = line(answer(self_test(seen("echo", "wlan0", values=loss), path, links=(WIFI,))), "Var felet är")
    assert found.means["sv"].startswith("Mellan datorn och närmaste router (wifi) tappas ")
    assert (flat(found.evidence["sv"]), found.source) == ("Wifi-signalen är svag (−82 dBm).", "")


def test_links_are_told_apart_only_where_there_are_several() -> None:
    alone, both = answer(self_test()), answer(self_test(seen("path", "wlan0"), links=(CABLE, link("wlan0", "wifi"))))
    assert line(alone, "Fördröjning").what["sv"] == "Fördröjning fram och tillbaka"
    test = self_test(seen("path", "wlan0", values={"path_hops": 3.0}), links=(CABLE, link("wlan0", "wifi")))
    assert line(answer(test), "Fördröjning").what["sv"] == "Fördröjning fram och tillbaka (nätverkskabel)"
    assert answer(test).values[0].what["sv"] == "Routrar på vägen (trådlöst nät)"
    assert both.lines


def test_why_it_is_that_kind_of_link() -> None:
    phone = replace(PHONE, evidence=("usb0 hands out addresses from the range that iPhones give",))
    said = line(answer(self_test(links=(phone,))), "Typ av anslutning").evidence["en"]
    assert said.startswith("[tethered] hands out addresses from the range that iPhones give.")


def test_nothing_private_is_left_in_a_probes_words() -> None:
    links = (replace(WIFI, name="Annas iPhone"), link("eth0"))
    assert (
        cleared("via Annas iPhone to 192.0.2.7 by eth0.5 and eth0", links)
        == "via [wifi] to [address] by [wired].5 and [wired]"
    )
    test = self_test(links=links)
    failed = replace(seen("dns", "Annas iPhone"), failure=Failure("dns", "dns_timeout", "Annas iPhone: 192.0.2.53"))
    found = answer(self_test(failed, links=links))
    assert "Anna" not in str(found)
    assert "192.0.2" not in str(found)
    assert "Anna" not in str(answer(test))
