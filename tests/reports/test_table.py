"""What a person reads in the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from reports.advice import LANGUAGES, Lang
from reports.record import Measurement, SelfTest
from reports.table import render, used_link
from tests.reports.make import echo, good, link, self_test


def shown(whole: SelfTest, lang: Lang = "sv", width: int = 110) -> str:
    out = StringIO()
    render(whole, lang, Console(file=out, width=width, color_system=None))
    return out.getvalue().replace("\u00a0", " ")


def test_the_headline_the_action_and_the_link_come_first_and_last() -> None:
    lines = shown(self_test(good(rtt_p95_seconds=0.4))).splitlines()
    assert lines[0].strip() == "✖ Ring support"
    assert lines[1].startswith("Gör så här: Ring kommunens IT-support.")
    assert lines[-2].strip() == "Anslutning som används: nätverkskabel (eth0)"
    assert lines[-1].strip() == "Inget har spelats in."


def test_a_row_says_what_how_much_the_limit_and_what_it_means() -> None:
    row = next(line for line in shown(self_test(good(mos_up=3.0)), "en", 160).splitlines() if "3 of 5" in line)
    assert all(
        words in row for words in ("✖", "Estimated sound quality", "at least 3.5 of 5", "hard to understand you")
    )


def test_what_is_not_sure_says_so_and_what_was_not_measured_too() -> None:
    unsure = {"loss_up_ratio": 0.04, "loss_up_ratio_ci95_low": 0.01, "loss_up_ratio_ci95_high": 0.07}
    assert "4 % (osäkert)" in shown(self_test(good(**unsure)))
    assert "Could not tell" in shown(self_test(), "en")
    assert "The connection was not measured." in shown(self_test(), "en", 160)


def test_several_links_are_named_in_their_rows() -> None:
    links = (link(), link("wlan0", "wifi"))
    both = shown(self_test(good(), good("wlan0", rtt_p95_seconds=0.4), links=links), "en", 160)
    assert "there and back (wlan0)" in both
    assert "(eth0)" in both
    assert "there and back (" not in shown(self_test(good(), links=links), "en", 160)


def test_an_interrupted_test_says_so() -> None:
    whole = self_test(echo(failure="interrupted"))
    stopped = SelfTest(**{f: getattr(whole, f) for f in SelfTest.__dataclass_fields__} | {"interrupted": True})
    assert "Testet avbröts. Det här hann mätas." in shown(stopped)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_address_and_no_message_id_is_shown(lang: Lang, width: int) -> None:
    out = shown(self_test(good(), echo(name="x", failure="no_reply")), lang, width)
    assert "192.0.2" not in out
    assert not [head for head in ("means.", "value.", "table.", "failure.", "_seconds") if head in out]


def test_names_with_brackets_are_not_markup() -> None:
    assert "[bold]" in shown(self_test(good("[bold]"), links=(link("[bold]"),), chosen="[bold]"))


def test_without_a_link() -> None:
    whole = self_test(chosen=None)
    assert used_link(whole) is None
    assert "Ingen anslutning." in shown(whole)


@pytest.mark.parametrize(
    ("told_apart", "words"), [(True, "eth0). Its sound rating is 0.2 to 0.5 above"), (False, "not be told apart")]
)
def test_links_side_by_side_are_compared_in_words(told_apart: bool, words: str) -> None:
    ends = {"mos_difference": 0.35, "mos_difference_ci95_low": 0.2, "mos_difference_ci95_high": 0.5}
    compared = Measurement("compare", "eth0", 0.0, 0.0, ends, {"best": "eth0", "told_apart": told_apart})
    links = (link(), link("wlan0", "wifi"))
    assert words in shown(self_test(good(), good("wlan0"), compared, links=links), "en", 160)
    assert words not in shown(self_test(good(), links=links), "en", 160)


def test_where_the_fault_is_stands_under_the_headline_and_not_again_below() -> None:
    lines = shown(self_test(good(), echo(name="dns", dns_lookup_seconds=1.5)), "en", 160).splitlines()
    assert lines[1] == "Where the fault is: Name lookup (DNS) is slow: an answer takes 1.5 s."
    assert lines[2] == "Do this: Ask IT support to look at name lookup (DNS)."
    assert len([line for line in lines if "(DNS) is slow" in line]) == 1
    assert not [line for line in shown(self_test(good())).splitlines() if "felet" in line]


def test_a_fault_that_is_not_sure_and_one_of_another_link() -> None:
    late = shown(self_test(good(sends_missed_ratio=0.5)), "sv")
    assert "Felet kan finnas här: Datorn är överbelastad. 50 % av testets paket kom iväg för sent." in late
    slow, links = echo("wlan0", name="dns", dns_lookup_seconds=1.5), (link(), link("wlan0", "wifi"))
    other = shown(self_test(good(), slow, links=links), "en", 160)
    assert "Where the fault is (wlan0)" in other
    assert "Where the fault is:" not in other
