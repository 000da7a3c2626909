"""The details for IT: every finding with value, limit, meaning, source and evidence; what is not judged beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
    assert found.source == {
        "sv": "Cisco (högst 1\u00a0%); Google Meet (under 3\u00a0%)",
        "en": "Cisco (at most 1\u00a0%); Google Meet (under 3\u00a0%)",
    }
    assert flat(found.evidence["sv"]) == "95 %-intervall: 1 % till 4 %. Ansvarig: kommunens IT-support."


def test_the_share_of_this_computer() -> None:
    found = line(answer(self_test(seen("echo", values={"rtt_p95_seconds": 0.02, "rtt_floor_seconds": 0.0002}))), "Förd")
    assert flat(found.evidence["sv"]) == "Av det lägger datorn själv till 0,2 ms."


def test_why_it_failed_is_the_probes_own_word() -> None:
    found = line(answer(self_test(seen("call", failure="ice_failed"))), "Provsamtal")
    assert found.value["sv"] == ""
    assert found.evidence["en"].startswith("Error code: ice_failed (call). In the test's own words: status 503. ")
    assert found.evidence["sv"].startswith("Felkod: ice_failed (call). Testets egna ord: status 503. ")


def test_a_step_of_the_way_in_is_called_by_its_name() -> None:
    found = line(answer(self_test(seen("join_portal", failure="portal_error"))), "Inloggningssidan")
    assert (found.level, found.what["en"]) == ("not_ready", "The login page")
    assert line(answer(self_test(seen("dns", failure="dns_timeout"))), "Test av namnuppslagning").level == "degraded"


def test_why_nothing_is_known() -> None:
    test = self_test(seen("computer", "computer", power="unknown", power_unknown="this program may not look at it"))
    found = line(answer(test), "Strömförsörjning")
    assert found.level == "unknown"
    assert found.evidence == {
        "sv": "Orsak: programmet får inte titta efter.",
        "en": "Reason: this program may not look at it.",
    }


def test_the_same_quantity_for_video_and_for_sound() -> None:
    rates = {"throughput_up_bytes_per_second": 1e5, "throughput_down_bytes_per_second": 1e6}
    found = answer(self_test(seen("throughput", values=rates)))
    shown = [
        (each.level, each.what["sv"], flat(each.limit["sv"])) for each in found.lines if "Kapac" in each.what["sv"]
    ]
    assert sorted(shown) == [
        ("degraded", "Kapacitet från dig, för bild", "minst 2 Mbit/s"),
        ("ready", "Kapacitet från dig, för ljud", "minst 0,1 Mbit/s"),
        ("ready", "Kapacitet till dig, för bild", "minst 3 Mbit/s"),
        ("ready", "Kapacitet till dig, för ljud", "minst 0,1 Mbit/s"),
    ]
    whats = [each.what["en"] for each in found.lines]
    assert len(set(whats)) == len(whats)


@pytest.mark.parametrize(
    ("level", "limit"),
    [(-24.0, "−35 dBFS till −15 dBFS"), (-45.0, "−35 dBFS till −15 dBFS"), (-70.0, "minst −60 dBFS")],
)
def test_what_may_be_too_low_and_too_high_has_two_limits(level: float, limit: str) -> None:
    heard = seen("microphone", "Headset microphone", values={"speech_level_dbfs": level}, microphone_sound="good")
    assert flat(line(answer(self_test(heard)), "Ljudnivå när du talar").limit["sv"]) == limit


def test_why_a_microphone_is_silent_comes_before_that_it_is() -> None:
    muted = seen("microphone", "Headset microphone", microphone_sound="muted", exact_zeros=True)
    test = self_test(muted)
    assert [each.means["sv"] for each in answer(test).lines][:2] == [
        "Mikrofonen är avstängd.",
        "Inget ljud alls kommer från mikrofonen.",
    ]
    assert test.verdict.action == "allow_microphone"


def test_other_facts_that_tell_more() -> None:
    test = self_test(seen("microphone", "Headset microphone", microphone_sound="good", sound_faults=()))
    assert line(answer(test), "Ljudet från mikrofonen").evidence["sv"] == ""
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
    assert (flat(found.evidence["sv"]), found.source["sv"]) == ("Wifi-signalen är svag (−82 dBm).", "")


def test_links_are_told_apart_only_where_there_are_several() -> None:
    alone, both = answer(self_test()), answer(self_test(seen("path", "wlan0"), links=(CABLE, link("wlan0", "wifi"))))
    assert line(alone, "Fördröjning").what["sv"] == "Fördröjning fram och tillbaka"
    test = self_test(seen("path", "wlan0", values={"path_hops": 3.0}), links=(CABLE, link("wlan0", "wifi")))
    assert line(answer(test), "Fördröjning").what["sv"] == "Fördröjning fram och tillbaka (nätverkskabel)"
    assert answer(test).values[0].what["sv"] == "Routrar på vägen (trådlöst nät)"
    assert both.lines


def test_why_it_is_that_kind_of_link() -> None:
    clues = (
        "its address is from the range that iPhones give",
        "usb0 is new",
        "against it: it is a bond that stands on usb0",
    )
    kind = line(answer(self_test(links=(replace(PHONE, evidence=clues),))), "Typ av anslutning").evidence
    assert kind["en"].startswith(
        "Its address is from the range that iPhones give. [tethered] is new. "
        "Against it: it is a bond that stands on [tethered]."
    )
    assert kind["sv"].startswith(
        "Adressen är ur det område som iPhone ger. [tethered] is new. "
        "Det som talar emot: den är en bond ovanpå [tethered]."
    )


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
