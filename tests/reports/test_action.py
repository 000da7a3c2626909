"""The one next action."""

from typing import Any

import pytest

from reports.compare import Comparison
from reports.record import Link, Measurement
from tests.reports.make import echo, good, link, verdict

ETH, WLAN, USB = link(), link("wlan0", "wifi"), link("usb0", "tethered")
UNPLUGGED = link(carrier=False, addresses=())
SELF_MADE = link(addresses=("169.254.3.4", "fe80::1%eth0"))
BRIDGE = link("docker0", "other")
TUN_WLAN, TUN_ETH = link("tun0", "vpn", beneath="wlan0"), link("tun0", "vpn", beneath="eth0")
BAD, SLOW = {"rtt_p95_seconds": 0.4}, {"rtt_p95_seconds": 0.2}
OK, WIFI_OK = good(), good("wlan0")
QUIET, JERKY = echo("mic", speech_level_dbfs=-45), echo("cam", camera_frames_per_second=20)
CABLE_WINS = {"comparison": Comparison("eth0", "wlan0", (), told_apart=True)}
WIFI_WINS = {"comparison": Comparison("wlan0", "eth0", (), told_apart=True)}
WIFI_BEATS_USB = {"comparison": Comparison("wlan0", "usb0", (), told_apart=True)}
UNDECIDED = {"comparison": Comparison("eth0", None, (), told_apart=False)}

ACTIONS: list[tuple[str, str, tuple[Link, ...], list[Measurement], dict[str, Any], str]] = [
    ("all well", "eth0", (ETH,), [OK], {}, "ready_go"),
    ("wifi is well and there is no cable", "wlan0", (WLAN,), [WIFI_OK], {}, "ready_go"),
    ("wifi is well, a cable is plugged in", "wlan0", (WLAN, ETH), [WIFI_OK], {}, "use_cable eth0"),
    ("the cable is not plugged in", "wlan0", (WLAN, UNPLUGGED), [WIFI_OK], {}, "ready_go"),
    ("nothing at the cable's other end", "wlan0", (WLAN, SELF_MADE), [WIFI_OK], {}, "ready_go"),
    ("a driver that does not know", "wlan0", (WLAN, link(carrier=None)), [WIFI_OK], {}, "ready_go"),
    ("a container's bridge is no cable", "wlan0", (WLAN, BRIDGE), [WIFI_OK], {}, "ready_go"),
    ("the cable was measured to be bad", "wlan0", (WLAN, ETH), [WIFI_OK, good(**BAD)], {}, "ready_go"),
    ("a phone, with wifi there", "usb0", (USB, WLAN), [good("usb0")], {}, "use_link wlan0"),
    ("a phone, nothing else", "usb0", (USB,), [good("usb0")], {}, "cable_not_phone"),
    ("a vpn over wifi, a cable there", "tun0", (TUN_WLAN, WLAN, ETH), [good("tun0")], {}, "use_cable eth0"),
    ("a vpn over the cable", "tun0", (TUN_ETH, ETH), [good("tun0")], {}, "ready_go"),
    ("embedded, on wifi, a cable there", "wlan0", (WLAN, ETH), [], {"embedded": True}, "use_cable eth0"),
    ("the cable is slow: the support", "eth0", (ETH,), [good(**BAD)], {}, "call_support municipal_it"),
    ("a bit slow: report it", "eth0", (ETH,), [good(**SLOW)], {}, "report_fault municipal_it"),
    ("a remark does not mend what is not ready", "eth0", (ETH,), [good(**BAD), JERKY], {}, "call_support municipal_it"),
    ("busy computer", "eth0", (ETH,), [good(call_cpu_ratio=0.95)], {}, "close_programs"),
    ("slow wifi", "wlan0", (WLAN,), [good("wlan0", **BAD)], {}, "cable_or_closer"),
    ("the room is busy, on wifi", "wlan0", (WLAN,), [echo("wlan0", failure="room_busy")], {}, "wait_and_test"),
    ("no token, on wifi", "wlan0", (WLAN,), [echo("wlan0", failure="room_token_refused")], {}, "ask_token"),
    ("udp is blocked", "eth0", (ETH,), [echo(failure="no_reply")], {}, "ask_udp"),
    ("the clock is off", "eth0", (ETH,), [echo(failure="room_certificate_not_valid_now")], {}, "set_clock"),
    ("stopped", "eth0", (ETH,), [echo(failure="interrupted")], {}, "test_again"),
    ("the link went", "eth0", (ETH,), [echo(failure="link_vanished")], {}, "check_plug"),
    ("nothing measured", "eth0", (ETH,), [], {}, "test_again"),
    ("compared: the cable is better", "wlan0", (WLAN, ETH), [WIFI_OK, OK], CABLE_WINS, "use_cable eth0"),
    ("compared: wifi in use is better than the cable",
     "wlan0", (WLAN, ETH), [WIFI_OK, good(**SLOW)], WIFI_WINS, "ready_go"),
    ("compared: a bad cable, wifi is better",
     "eth0", (ETH, WLAN), [good(**SLOW), WIFI_OK], WIFI_WINS, "use_link wlan0"),
    ("compared: wifi is better but the cable does", "eth0", (ETH, WLAN), [OK, WIFI_OK], WIFI_WINS, "ready_go"),
    ("compared: a quiet microphone is no reason to change",
     "eth0", (ETH, WLAN), [OK, WIFI_OK, QUIET], WIFI_WINS, "speak_closer"),
    ("compared: the link in use is the best and slow", "eth0", (ETH, WLAN), [good(**SLOW), WIFI_OK], CABLE_WINS,
     "report_fault municipal_it"),
    ("not told apart: the routine's order", "wlan0", (WLAN, ETH), [WIFI_OK, OK], UNDECIDED, "use_cable eth0"),
    ("compared without the cable that is plugged in",
     "wlan0", (WLAN, USB, ETH), [WIFI_OK, good("usb0")], WIFI_BEATS_USB, "use_cable eth0"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "chosen", "links", "found", "more", "action"), ACTIONS, ids=[a[0] for a in ACTIONS])
def test_the_next_action(
    what: str, chosen: str, links: tuple[Link, ...], found: list[Measurement], more: dict[str, Any], action: str
) -> None:
    v = verdict(*found, links=links, chosen=chosen, **more)
    detail = v.action_params.get("link") or v.action_params.get("owner") or ""
    assert f"{v.action} {detail}".strip() == action
