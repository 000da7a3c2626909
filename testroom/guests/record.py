"""What a guest's browser may say, checked to the last word: {"schema": "motesklar.browser/1", …} to Measurements.

| key        | what                                                                                                |
|------------|-----------------------------------------------------------------------------------------------------|
| duration_s | seconds since the test began                                                                        |
| values     | quantities of the vocabulary, each within its range; `call_*`, delays and jitter                    |
| counts     | packets {"lost_up", "sent_up", "lost_down", "expected_down"}: loss is worked out here               |
| facts      | words of closed lists (browser, codecs, media path, …)                                              |
| unknown    | quantities that could not be measured, each with one of REASONS                                     |
| failure    | {"step", "code"}: where the call failed, or absent                                                  |

Nothing of it is free text: what a stranger writes is never shown to support.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.statistics import wilson
from reports.record import Fact, Failure, Measurement

SCHEMA = "motesklar.browser/1"
MOST_BYTES = 32 * 1024
MOST_SECONDS = 120.0
SUBJECT = "browser"  # a browser does not tell which link it uses

_TIME, _RATIO, _RATE = (0.0, 120.0), (0.0, 1.0), (0.0, 240.0)
CALL_VALUES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("rtt_min_seconds", "rtt_p50_seconds", "rtt_p95_seconds", "rtt_max_seconds"), _TIME),
    **dict.fromkeys(("jitter_up_seconds", "jitter_down_seconds"), _TIME),
    **dict.fromkeys(("call_signalling_seconds", "call_gathering_seconds", "call_ice_seconds"), _TIME),
    **dict.fromkeys(("call_dtls_seconds", "call_setup_seconds"), _TIME),
    **dict.fromkeys(("first_media_seconds", "first_audio_seconds", "first_video_seconds"), _TIME),
    **dict.fromkeys(("call_frames_sent_per_second", "call_frames_per_second"), _RATE),
    **dict.fromkeys(("call_frozen_ratio", "call_audio_gap_ratio", "call_frames_skipped_ratio"), _RATIO),
    "clock_skew_seconds": (-1e10, 1e10),
}
CAMERA_VALUES = {"camera_frames_per_second": _RATE}
RANGES = CALL_VALUES | CAMERA_VALUES
LOSSES = ("loss_up_ratio", "loss_down_ratio")
COUNTS = {"up": ("lost_up", "sent_up"), "down": ("lost_down", "expected_down")}

_ENDS = ("host", "srflx", "prflx", "relay")
_DEVICE = ("ok", "denied", "missing", "busy", "failed")
WORDS: dict[str, tuple[str, ...]] = {
    "media_path": ("direct", "turn_udp", "turn_tcp", "turn_tls", "none"),
    "call_carries": ("video", "sound_only", "nothing"),
    "candidate_pair": tuple(f"{here}/{there}" for here in _ENDS for there in _ENDS),
    "audio_codec": ("opus", "G722", "PCMU", "PCMA"),
    "video_codec": ("VP8", "VP9", "H264", "AV1", "H265"),
    "browser": ("chrome", "edge", "firefox", "safari", "opera", "samsung", "other"),
    "device": ("computer", "phone_or_tablet"),
    "connection": ("wifi", "cellular", "ethernet"),
    "limited_by": ("none", "cpu", "bandwidth", "other"),
    "camera": _DEVICE,
    "microphone": _DEVICE,
}
REASONS = {
    "browser": "a browser does not tell this",
    "no_call": "there was no call to measure it in",
    "no_camera": "there was no camera to send from",
    "no_microphone": "there was no microphone to send from",
    "too_short": "too little came to measure it",
    "bandwidth": "the browser sent fewer pictures because of the network, not the computer",
}
FAILED: dict[str, frozenset[str]] = {
    "ice": frozenset({"ice_failed"}),
    "dtls": frozenset({"dtls_failed"}),
    "media": frozenset({"media_silent_up", "media_silent_down", "call_broken_off"}),
}
_KEYS = {"schema", "duration_s", "values", "counts", "facts", "unknown", "failure"}


class RecordRefusedError(ValueError):
    """It is not such a record; the message names the place in our own words."""


@dataclass(frozen=True, slots=True)
class BrowserRecord:
    """Checked. `facts` hold what was said of browser, devices and call."""

    duration_s: float
    values: Mapping[str, float]
    facts: Mapping[str, Fact]
    unknown: Mapping[str, str]
    failure: Failure | None

    def measurements(self) -> tuple[Measurement, ...]:
        """The call, and the camera when there was one."""
        call = self._measurement("call", SUBJECT, {*CALL_VALUES, *(n for n in self.values if n not in RANGES)})
        if self.facts.get("camera") != "ok":
            return (call,)
        return call, self._measurement("camera", "camera", set(CAMERA_VALUES))

    def _measurement(self, name: str, subject: str, names: set[str]) -> Measurement:
        of_call = name == "call"
        values = {n: v for n, v in self.values.items() if n in names}
        unknown = {n: why for n, why in self.unknown.items() if (n in CAMERA_VALUES) != of_call}
        started_at = time.time() - self.duration_s
        facts = self.facts if of_call else {}
        failure = self.failure if of_call else None
        return Measurement(name, subject, started_at, self.duration_s, values, facts, unknown, failure)


def read_record(body: bytes) -> BrowserRecord:
    """Raises RecordRefusedError."""
    data = _table(_json(body), "record")
    if data.keys() - _KEYS or data.get("schema") != SCHEMA:
        raise RecordRefusedError("schema")
    values = {name: _number(v, name, *_range(name)) for name, v in _part(data, "values")}
    values |= _losses(_counts(data))
    unknown = {_known(name): REASONS[_word(why, name, REASONS)] for name, why in _part(data, "unknown")}
    if values.keys() & unknown.keys():
        raise RecordRefusedError("unknown")
    return BrowserRecord(
        duration_s=_number(data.get("duration_s"), "duration_s", 0.0, MOST_SECONDS),
        values=values,
        facts={name: _fact(name, fact) for name, fact in _part(data, "facts")},
        unknown=unknown,
        failure=_failure(data.get("failure")),
    )


def _json(body: bytes) -> object:
    if len(body) > MOST_BYTES:
        raise RecordRefusedError("size")
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        raise RecordRefusedError("json") from None
    return found


def _table(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise RecordRefusedError(where)
    return data


def _part(data: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    return list(_table(data.get(key, {}), key).items())


def _number(value: object, where: str, low: float, high: float) -> float:
    """A number within the range, which neither NaN nor infinity is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RecordRefusedError(where)
    return float(value)


def _range(name: str) -> tuple[float, float]:
    if name not in RANGES:
        raise RecordRefusedError("values")
    return RANGES[name]


def _known(name: str) -> str:
    if name not in RANGES and name not in LOSSES and name not in WORDS:
        raise RecordRefusedError("unknown")
    return name


def _word(value: object, where: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise RecordRefusedError(where)
    return value


def _fact(name: str, value: object) -> Fact:
    if name == "browser_version":
        return int(_number(value, name, 0, 9999))
    if name not in WORDS:
        raise RecordRefusedError("facts")
    return _word(value, name, WORDS[name])


def _failure(data: object) -> Failure | None:
    if data is None:
        return None
    table = _table(data, "failure")
    step = _word(table.get("step"), "failure", tuple(FAILED))
    return Failure(step, _word(table.get("code"), "failure", tuple(FAILED[step])))


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    known = {name for pair in COUNTS.values() for name in pair}
    counts = dict(_part(data, "counts"))
    if counts.keys() - known:
        raise RecordRefusedError("counts")
    return {name: int(_number(n, name, 0, 1e7)) for name, n in counts.items()}


def _losses(counts: Mapping[str, int]) -> dict[str, float]:
    """Each direction's loss with its 95 % interval (RFC 7680), where anything was sent at all."""
    values: dict[str, float] = {}
    for way, (lost_name, all_name) in COUNTS.items():
        lost, total = counts.get(lost_name), counts.get(all_name)
        if lost is None or not total:
            continue
        if lost > total:
            raise RecordRefusedError("counts")
        low, high = wilson(lost, total)
        name = f"loss_{way}_ratio"
        values |= {name: lost / total, f"{name}_ci95_low": low, f"{name}_ci95_high": high}
    return values
