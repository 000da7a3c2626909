"""The verdict as it is handed over: what it says, what is offered, what is to be done again, whom to call."""

from __future__ import annotations

import pytest

from agent.ui.handover import answer_of
from agent.ui.state import Answer
from probes.profile import Profile, Support
from reports.record import SelfTest
from reports.reference import code_of
from tests.reports.make import GOOD, echo, link
from tests.ui.handed import CABLE, PHONE, REGION, WIFI, generic, options, seen, self_test

SLOW = {"rtt_p95_seconds": 0.4}
DARK = seen("camera", "USB camera", camera_picture="dark")
NO_CAMERA = seen("camera", "camera", "camera_none")
MUTED = seen("microphone", "Headset microphone", microphone_sound="muted")
NEEDS_HEADSET = seen("equipment", "computer", equipment="needs_headset", company="alone")
SOUND_ONLY = seen("call", media_path="direct", call_carries="sound_only")
FIREWALL = seen("call", failure="ice_failed")
PORTAL_BROKEN = seen("join_portal", failure="portal_error")


def answer(test: SelfTest, **more: object) -> Answer:
    return answer_of(test, options(**more), {})  # type: ignore[arg-type]


NETWORK = ("connection", "joining")
NETWORK_AND_PICTURE = ("picture", "connection", "joining")
BUSY = seen("local", values={"cpu_busy_ratio": 0.97, "cpu_wait_ratio": 0.5})
DETOUR = seen("call", media_path="turn_tcp", call_carries="video")
CASES = [
    ("all well", self_test(), "ready", (), "Det som testades håller för ett videomöte."),
    ("dark", self_test(DARK), "degraded", ("picture",),
     "De andra ser dig dåligt: det är för mörkt."),
    ("no camera", self_test(NO_CAMERA), "degraded", ("picture",), "Datorn har ingen kamera."),
    ("muted", self_test(MUTED), "not_ready", ("microphone",), "Mikrofonen är avstängd."),
    ("two things", self_test(DARK, NEEDS_HEADSET), "degraded", ("speaker", "microphone", "picture", "computer"), None),
    ("the worst counts", self_test(DARK, MUTED), "not_ready", ("microphone",), "Mikrofonen är avstängd."),
    ("slow", self_test(echo(**SLOW)), "not_ready", NETWORK, "Svaren dröjer så länge att samtalet inte flyter."),
    ("wifi, a cable there", self_test(links=(WIFI, link())), "ready", NETWORK, None),
    ("a phone", self_test(links=(PHONE,)), "degraded", NETWORK,
     "Du delar en mobils uppkoppling. Den kan brytas mitt i mötet."),
    ("no link", self_test(links=()), "not_ready", NETWORK, "Datorn är inte ansluten till något nätverk."),
    ("the portal", self_test(PORTAL_BROKEN), "not_ready", ("joining",), "Inloggningssidan har ett fel just nu."),
    ("the firewall", self_test(FIREWALL), "not_ready", ("joining",), "Ljud och bild hittar ingen väg fram."),
    ("UDP is stopped", self_test(echo(failure="no_reply"), DETOUR), "degraded", NETWORK,
     "Ljud och bild går en omväg och kan hacka."),
    ("the room is busy", self_test(echo(failure="room_busy")), "unknown", NETWORK,
     "Testet gick inte att göra: testrummet är fullt just nu. Det säger inget om hur bra din uppkoppling är."),
    ("no room", self_test(room=False), "unknown", (),
     "Inget testrum i nätverket är inställt. Bara den här datorn har testats, inte nätverket."),
    ("no room, dark", self_test(DARK, room=False), "unknown", ("picture",),
     "De andra ser dig dåligt: det är för mörkt. Bara datorn testades, inte nätverket."),
    ("no room, a phone", self_test(links=(PHONE,), room=False), "unknown", (), None),
    ("busy computer, and dark", self_test(DARK, BUSY), "degraded", (*NETWORK_AND_PICTURE, "computer"),
     "Datorn har mycket att göra; bilden kan hacka."),
    ("stopped", self_test(without=("camera",), interrupted=True), "ready", (),
     "Testet avbröts. Det här hann mätas. Det som testades håller för ett videomöte."),
    ("nothing of the network", self_test(without=("echo",)), "unknown", NETWORK, "Anslutningen har inte mätts."),
]  # fmt: skip


@pytest.mark.parametrize(("test", "level", "redo", "means"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_answer(test: SelfTest, level: str, redo: tuple[str, ...], means: str | None) -> None:
    found = answer(test)
    assert (found.level, found.redo) == (level, redo)
    assert means is None or found.means["sv"] == means
    assert found.reference == code_of("r1")
    assert found.portal == REGION.portal
    for said in (found.headline, found.means, found.action):
        assert said.keys() == {"sv", "en"}
        assert all(words and "ui." not in words and "{" not in words for words in said.values())


def test_a_fault_is_said_in_plain_words_after_what_it_means() -> None:
    path = seen("path", "wlan0", values={"gateway_loss_ratio": 0.2, "gateway_loss_ratio_ci95_low": 0.16,
                                         "gateway_loss_ratio_ci95_high": 0.25})  # fmt: skip
    loss = {"loss_ratio": 0.2, "loss_ratio_ci95_low": 0.17, "loss_ratio_ci95_high": 0.23, "loss_up_ratio": 0.2}
    test = self_test(seen("echo", "wlan0", values=loss), path, links=(WIFI,))
    found = answer(test)
    assert found.means["sv"] == (
        "De andra hör dig i bitar och ser din bild frysa. Felet finns mellan datorn och närmaste router."
    )
    assert found.redo == NETWORK


def test_a_fault_that_explains_something_else_is_not_said() -> None:
    found = answer(self_test(seen("dns", failure="dns_timeout"), echo(loss_up_ratio=0.2)))
    assert found.means["sv"] == "De andra hör dig i bitar och ser din bild frysa."
    only = answer(self_test(seen("dns", failure="dns_timeout")))
    assert only.means["sv"] == ("Ingen namnserver svarade. Mötet kan dröja eller inte gå att öppna.")


RATES = {"throughput_up_bytes_per_second": 40_000.0, "throughput_down_bytes_per_second": 1e6}
NARROW = seen("throughput", "usb0", values=RATES)
SOUND = [
    ("all well", self_test(), False, False),
    ("the call says so", self_test(SOUND_ONLY), True, True),
    ("nothing is carried", self_test(seen("call", call_carries="nothing")), False, True),
    ("room for a voice", self_test(seen("throughput", values=RATES)), True, True),
    ("not even for that", self_test(seen("throughput", values=RATES | {"throughput_up_bytes_per_second": 6e3})),
     False, True),
    ("a voice would break up", self_test(seen("throughput", values=RATES), echo(loss_up_ratio=0.2)), False, True),
    ("a narrow line, by trains", self_test(seen("capacity", values={"capacity_down_bytes_per_second": 3e4})),
     True, True),
    ("a muted microphone", self_test(MUTED), False, True),
    ("another link is narrow", self_test(NARROW, links=(CABLE, link("usb0", "mobile"))),
     False, False),
]  # fmt: skip


@pytest.mark.parametrize(("test", "sound_only", "dial_in"), [c[1:] for c in SOUND], ids=[c[0] for c in SOUND])
def test_sound_alone_and_the_telephone(test: SelfTest, sound_only: bool, dial_in: bool) -> None:
    found = answer(test)
    assert found.sound_only is sound_only
    assert found.dial_in == (dict(REGION.dial_in) if dial_in else None)


def test_a_service_without_a_telephone_has_a_sentence_of_ours() -> None:
    found = answer_of(self_test(MUTED), generic(), {})
    assert found.portal is None
    assert found.dial_in is not None
    assert found.dial_in["sv"].startswith("Står det ett telefonnummer")


def test_the_own_support_is_first_also_when_the_region_must_mend_it() -> None:
    found = answer(self_test(PORTAL_BROKEN))
    assert [contact.owner for contact in found.contacts] == ["municipal_it", "region_it"]
    assert found.action["sv"].startswith("Ring kommunens IT-support.")
    assert found.action["en"].startswith("Call the municipality's IT support.")


def test_whom_to_call_is_the_profiles_and_a_name_in_one_language_is_said_in_both() -> None:
    support = (Support("operator", {"sv": "Bredbandet"}, "0771-00 00 00", "https://net.example/help"),)
    found = answer(self_test(echo(**SLOW)), profile=Profile(portal="https://meet.example/", support=support))
    (contact,) = found.contacts
    assert (contact.name, contact.phone) == ({"sv": "Bredbandet", "en": "Bredbandet"}, "0771-00 00 00")
    assert found.action["sv"].startswith("Ring nätoperatören.")


def test_a_profile_that_names_nobody() -> None:
    (contact,) = answer_of(self_test(), generic(), {}).contacts
    assert contact.owner == "municipal_it"
    assert contact.name == {"sv": "IT-supporten där du arbetar", "en": "IT support where you work"}


UNTESTED = [
    ("all was tested", self_test(), options(), []),
    ("no room", self_test(room=False), options(room=False), ["Nätverket testades inte, bara datorn"]),
    ("no service", self_test(), generic(), ["Mötets inloggningssida testades inte"]),
    ("left out", self_test(without=("camera", "microphone")), options(),
     ["Mikrofonen testades inte.", "Kameran testades inte."]),
    ("why not", self_test(echo(failure="room_busy")), options(),
     ["Nätverket testades inte. Testet gick inte att göra: testrummet är fullt just nu."]),
    ("no link: no test, and that is told", self_test(links=()), options(), None),
    ("found to be bad is tested", self_test(NO_CAMERA, FIREWALL), options(), []),
    ("it went on for a while", self_test(seen("echo", failure="session_expired", values=GOOD)), options(), []),
    ("nobody spoke", self_test(seen("microphone", microphone_sound="not_spoken")), options(),
     ["Det är inte testat om rösten hörs"]),
    ("nobody heard", self_test(seen("speaker", speaker_sound="played")), options(),
     ["Det är inte testat om ljudet hörs"]),
    ("no card asked for", self_test(seen("computer", "computer", browser="good")), options(),
     ["Kortläsare och kort testades inte."]),
    ("no card asked for, no service", self_test(seen("computer", "computer", browser="good")), generic(),
     ["Mötets inloggningssida testades inte"]),
    ("the card cannot be seen", self_test(seen("computer", "computer", card_reader="unknown")), options(),
     ["Kortläsare och kort gick inte att kontrollera."]),
    ("no call", self_test(without=("call",)), options(), ["Inget provsamtal gjordes."]),
    ("no sound at all", self_test(*(seen(name, failure="sound_system_missing") for name in ("speaker", "microphone"))),
     options(), ["Datorn har inget ljudsystem som svarar. Ljudet testades inte."]),
]  # fmt: skip


@pytest.mark.parametrize(("test", "asked", "begins"), [c[1:] for c in UNTESTED], ids=[c[0] for c in UNTESTED])
def test_untested(test: SelfTest, asked: object, begins: list[str] | None) -> None:
    found = [said["sv"] for said in answer_of(test, asked, {}).untested]  # type: ignore[arg-type]
    if begins is not None:
        assert len(found) == len(begins), found
        assert all(said.startswith(begin) for said, begin in zip(found, begins, strict=True)), found


def test_what_is_not_tested_says_how_it_is_turned_on() -> None:
    found = answer_of(self_test(room=False), generic(), {}).untested
    assert any("url" in said["sv"] and "[room]" in said["en"] for said in found)
    assert any("profile" in said["sv"] and "[meeting]" in said["en"] for said in found)
