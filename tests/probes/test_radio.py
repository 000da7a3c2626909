"""What samples of a radio add up to."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from probes import radio
from probes.radio import retry_ratio, summary
from reports.record import Wifi
from tests.probes.rooms import link


def counted(*pairs: tuple[int | None, int | None]) -> list[Wifi]:
    return [Wifi(tx_packets=packets, tx_retries=retries) for packets, retries in pairs]


@pytest.mark.parametrize(
    ("samples", "ratio"),
    [
        (counted((100, 10), (200, 10)), 0.0),
        (counted((100, 10), (200, 35)), 0.2),
        (counted((0, 0), (10, 90)), 0.9),  # each frame nine times more: still a share
        (counted((1000, 900), (1100, 925), (7, 1), (107, 26)), 0.2),  # another access point in between
        (counted((1000, 1), (10, 5), (110, 30)), 0.2),
        (counted((100, 10), (None, None), (200, 35)), None),
        (counted((100, 10), (100, 10)), None),  # nothing sent
        (counted((100, None), (200, None)), None),
        (counted((100, 10)), None),
        ([], None),
    ],
)
def test_retry_ratio(samples: list[Wifi], ratio: float | None) -> None:
    assert retry_ratio(samples) == (None if ratio is None else pytest.approx(ratio))


def test_medians_and_the_worst() -> None:
    said = summary([Wifi(signal_dbm=s, tx_rate_bytes_per_second=r) for s, r in ((-60, 4e6), (-82, 1e6), (-61, 3e6))])
    assert said.values == {"wifi_signal_dbm": -61, "wifi_rate_bytes_per_second": 3e6}
    assert said.facts == {"wifi_signal_worst_dbm": -82, "wifi_rate_least_bytes_per_second": 1e6}


@pytest.mark.parametrize("samples", [[], [Wifi(), Wifi()]])
def test_a_radio_that_does_not_say(samples: list[Wifi]) -> None:
    assert not summary(samples).values
    assert not summary(samples).facts


@pytest.mark.parametrize("name", ["lo", "nothing-here"])
async def test_what_is_no_radio_says_nothing(name: str) -> None:
    heard: list[Wifi] = []
    with suppress(TimeoutError):  # it goes on asking, or has given up
        await asyncio.wait_for(radio.watch(link(name), heard), 0.3)
    assert heard == []
