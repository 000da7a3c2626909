"""What is required of a machine, in eight columns, and which of the policy's rules and of the tests belong to each."""

from __future__ import annotations

from functools import cache

from reports.record import Finding

OTHER = "other"  # rules of a huvudman's own policy about values that no shipped rule looks at
_BOTH = ("up", "down")


def _ways(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_{way}" for name in names for way in _BOTH)


# Rules of the policy, probes and checks (whose failures are findings too), situations, and faults of the diagnosis.
# What comes along with another test (browser, name servers) does not stand where it would pass for a test of its own.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "connection": ("link_kind", "link", "wifi_signal"),
    "network": (
        *("rtt", *_ways("jitter", "loss", "burst_loss", "reordered", "mos"), "room", "network", "echo", "path"),
        *("first_hop_loss", "beyond_loss", "mtu_black_hole", "dns_lookup", "dns", "slow_dns"),
    ),
    "capacity": (
        *_ways("throughput", "capacity", "audio", "rtt_rise"),
        *("throughput", "capacity", "internet_speed", "upload_queue", "download_queue", "own_upload", "own_download"),
    ),
    "join": ("join", "clock", "certificate_left", "portal"),
    "call": (
        *("call", "call_setup", "first_media", "media_path", "call_carries", "call_frames", "call_frozen"),
        "call_audio_gaps",
    ),
    "camera": ("camera", "camera_frames", "camera_black", "camera_frozen", "camera_picture"),
    "sound": (
        *("microphone", "speaker", "equipment", "speech_level", "speech_zeros", "signal_to_noise"),
        *("microphone_sound", "speaker_sound"),
    ),
    "computer": (
        *("computer", "local", "timing", "power", "encode_speed", "call_encoder", "memory", "disk", "call_cpu"),
        *("cpu_busy", "cpu_starved", "local_queue", "browser", "card_reader"),
    ),
}
NAMES = (*REQUIREMENTS, OTHER)
_BY_RULE = {rule: name for name, rules in REQUIREMENTS.items() for rule in rules}


def of_rule(rule: str) -> str:
    """The requirement that a rule belongs to."""
    known = _BY_RULE.get(rule)
    if known is None and rule.startswith("join_"):  # a step of the way into the meeting
        known = "join"
    return known or OTHER


def of_finding(finding: Finding) -> str:
    """The same; a rule that is not known goes where the shipped rule about the same value goes."""
    found = of_rule(finding.rule)
    return found if found != OTHER else of_rule(_by_value().get(str(finding.params.get("quantity")), ""))


@cache
def _by_value() -> dict[str, str]:
    from reports.policy import load_policy

    return {row.value: row.rule for row in load_policy().rows.values()}
