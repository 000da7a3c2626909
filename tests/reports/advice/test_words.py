"""Values and findings as a person reads them."""

import pytest

from reports.advice import Lang
from reports.advice.words import (
    action_text,
    finding_text,
    headline,
    label,
    limit_text,
    number,
    quantity_text,
    what_text,
)
from reports.record import Measurement
from reports.vocabulary import NAMES
from tests.reports.make import echo, finding, good, link, verdict

VALUES = [
    ("rtt_p95_seconds", 0.34, "340 ms", "340 ms"),
    ("jitter_up_seconds", 0.01234, "12,3 ms", "12.3 ms"),
    ("rtt_p50_seconds", 0.0000004, "0 ms", "0 ms"),
    ("call_setup_seconds", 1.8, "1,8 s", "1.8 s"),
    ("clock_skew_seconds", -600, "−10 minuter", "−10 minutes"),
    ("clock_skew_seconds", 119, "119 s", "119 s"),
    ("certificate_left_seconds", 604_800, "7 dygn", "7 days"),
    ("loss_up_ratio", 0.005, "0,5 %", "0.5%"),
    ("loss_up_ratio_ci95_low", 0.005, "0,5 %", "0.5%"),
    ("loss_up_ratio", 1.0, "100 %", "100%"),
    ("reordered_up_ratio", 0.0005, "0,05 %", "0.05%"),
    ("throughput_up_bytes_per_second", 250_000, "2 Mbit/s", "2 Mbit/s"),
    ("throughput_up_bytes_per_second", 5_000, "40 kbit/s", "40 kbit/s"),
    ("throughput_up_bytes_per_second", 125_000_000, "1000 Mbit/s", "1000 Mbit/s"),
    ("mos_up", 3.96, "3,96 av 5", "3.96 of 5"),
    ("speech_level_dbfs", -45.0, "−45 dBFS", "−45 dBFS"),
    ("camera_frames_per_second", 24, "24 bilder/s", "24 frames/s"),
    ("packets_sent", 123456, "123456", "123456"),
    ("media_path", "turn_tcp", "omväg (TCP)", "detour (TCP)"),
    ("link_kind", "tethered", "delad mobil", "shared phone"),
]


@pytest.mark.parametrize(("name", "value", "sv", "en"), VALUES)
def test_a_value_with_its_unit(name: str, value: float | str, sv: str, en: str) -> None:
    assert quantity_text(name, value, "sv").replace("\u00a0", " ") == sv
    assert quantity_text(name, value, "en").replace("\u00a0", " ") == en


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_quantity_can_be_said(name: str) -> None:
    assert quantity_text(name, 0.3, "sv")[0] in "023"


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-9, 1e-5, 999.6, 1e9, -0.5, 1e22])
def test_a_number_has_no_exponent(value: float) -> None:
    assert "e" not in number(value, "en")
    assert "." not in number(value, "sv")


@pytest.mark.parametrize(
    ("values", "rule", "said"),
    [
        ({"rtt_p95_seconds": 0.2}, "rtt", "under 100 ms"),
        ({"rtt_p95_seconds": 0.4}, "rtt", "högst 300 ms"),
        ({"mos_up": 3.0}, "mos_up", "minst 3,5 av 5"),
        ({"camera_black_ratio": 0.1}, "camera_black", "högst 0 %"),
        ({"speech_level_dbfs": -45}, "speech_level", "−35 dBFS"),
    ],
)
def test_a_limit_in_words(values: dict[str, float], rule: str, said: str) -> None:
    assert limit_text(finding(verdict(good(**values)), rule), "sv").replace("\u00a0", " ") == said


def test_a_finding_says_what_how_much_what_follows_and_what_to_do() -> None:
    v = verdict(good("wlan0", loss_up_ratio=0.05), links=(link("wlan0", "wifi"),), chosen="wlan0")
    said = finding_text(finding(v, "loss_up"), "sv").replace("\u00a0", " ")
    assert said == (
        "Tappat på vägen från dig: 5 % (högst 3 %). De andra hör dig i bitar och ser din bild frysa. "
        "Använd nätverkskabel om det går. Annars: sätt dig närmare wifi-routern och testa igen."
    )
    assert (headline(v, "sv"), headline(v, "en")) == ("Ring support", "Call support")


def test_a_failed_test_is_another_sentence_than_a_bad_connection() -> None:
    f = finding(verdict(echo(failure="no_reply")), "echo")
    assert finding_text(f, "sv").startswith("Testet gick inte att göra: ")
    assert finding_text(f, "en").startswith("The test could not be done: ")


def test_wifi_and_a_shared_phone_have_words_of_their_own() -> None:
    v = verdict(good("usb0"), links=(link("usb0", "tethered"),), chosen="usb0")
    assert "phone" in finding_text(finding(v, "link_kind"), "en")


@pytest.mark.parametrize(
    ("measured", "rule", "said"),
    [
        (good(throughput_up_bytes_per_second=5_000), "throughput_up", "Kapacitet från dig, för bild"),
        (good(throughput_up_bytes_per_second=5_000), "audio_up", "Kapacitet från dig, för ljud"),
        (echo(name="join_portal", failure="portal_error"), "join_portal", "Inloggningssidan"),
        (good(rtt_p95_seconds=0.4), "rtt", "Fördröjning fram och tillbaka"),
    ],
)
def test_what_it_is_about(measured: Measurement, rule: str, said: str) -> None:
    assert what_text(finding(verdict(measured), rule), "sv") == said


@pytest.mark.parametrize(("lang", "said"), [("sv", "Ring kommunens IT-support."), ("en", "Call the municipality's IT")])
def test_the_action_names_whom_to_call(lang: Lang, said: str) -> None:
    assert action_text(verdict(good(rtt_p95_seconds=0.4)), lang).startswith(said)


def test_a_quantity_without_a_word_keeps_its_name() -> None:
    assert label("of_a_newer_program", "sv") == "of_a_newer_program"
