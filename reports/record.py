"""The record: what a self-test saw, in frozen dataclasses and nothing but the standard library.

Units are SI base units (seconds, bytes, bytes per second, ratios 0–1). Only a person's page says ms or Mbit/s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["wired", "wifi", "tethered", "mobile", "vpn", "other"]
Level = Literal["ready", "degraded", "not_ready", "unknown"]
Owner = Literal["you", "municipal_it", "operator", "region_it"]
Fact = str | bool | int | float | tuple[str, ...]

KINDS: tuple[Kind, ...] = ("wired", "wifi", "tethered", "mobile", "vpn", "other")
LEVELS: tuple[Level, ...] = ("ready", "degraded", "not_ready", "unknown")
OWNERS: tuple[Owner, ...] = ("you", "municipal_it", "operator", "region_it")
TESTED_BY_DEFAULT: frozenset[Kind] = frozenset({"wired", "wifi", "tethered", "mobile", "vpn"})


@dataclass(frozen=True, slots=True)
class Wifi:
    """What the radio says of itself. A value that the driver does not give is None."""

    signal_dbm: float | None = None
    frequency_hz: float | None = None
    band: str | None = None  # "2.4 GHz" | "5 GHz" | "6 GHz"
    width_hz: float | None = None
    tx_rate_bytes_per_second: float | None = None
    rx_rate_bytes_per_second: float | None = None
    tx_packets: int | None = None
    tx_retries: int | None = None
    tx_failed: int | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Bytes and packets that passed the link since it came up."""

    sent_bytes: int
    received_bytes: int
    sent_packets: int
    received_packets: int


@dataclass(frozen=True, slots=True)
class Link:
    """One way out of this computer. `name` is the system's own device name."""

    name: str
    kind: Kind
    confidence: float  # 0–1: how sure the classification is
    evidence: tuple[str, ...]  # why `kind`, in words
    carrier: bool | None = None  # does the device say it is connected?
    addresses: tuple[str, ...] = ()  # without prefix length; link-local IPv6 only when there is nothing else
    gateway: str | None = None
    gateway_v6: str | None = None
    resolvers: tuple[str, ...] = ()
    mtu_bytes: int | None = None
    metered: bool | None = None
    driver: str | None = None
    rate_bytes_per_second: float | None = None
    duplex: str | None = None  # "full" | "half"
    route_metric: int | None = None  # of the best default route; None: no default route leaves here
    is_default: bool = False  # new connections leave by this link
    beneath: str | None = None  # vpn: the name of the link that carries it
    wifi: Wifi | None = None
    counters: Counters | None = None

    @property
    def usable(self) -> bool:
        """Connected, with an address to send from."""
        return self.carrier is not False and bool(self.addresses)

    @property
    def tested_by_default(self) -> bool:
        """Bridges, containers and the like carry no meeting."""
        return self.usable and self.kind in TESTED_BY_DEFAULT


DeviceKind = Literal["camera", "microphone", "speaker"]
Form = Literal["built_in", "usb", "bluetooth", "conference", "headset", "virtual", "unknown"]
DEVICE_KINDS: tuple[DeviceKind, ...] = ("camera", "microphone", "speaker")
FORMS: tuple[Form, ...] = ("built_in", "usb", "bluetooth", "conference", "headset", "virtual", "unknown")


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A camera, microphone or speaker as reports know it: without the name that somebody gave it."""

    kind: DeviceKind
    label: str
    form: Form
    confidence: float
    evidence: tuple[str, ...]
    is_default: bool | None


@dataclass(frozen=True, slots=True)
class Device:
    """A camera, microphone or speaker. `name`: as its user knows it, which may hold a person's name.

    `label`: what reports call it, without such a name, different for each device of a kind. `handle`: the system's own,
    for opening it. Reports hold neither `name` nor `handle`.
    """

    kind: DeviceKind
    name: str
    label: str
    form: Form
    confidence: float  # 0–1: how sure the form is
    evidence: tuple[str, ...]  # why `form`, in words
    is_default: bool | None = None  # None: the system has no default of this kind, or does not tell
    handle: str = ""

    @property
    def record(self) -> DeviceRecord:
        """For reports."""
        return DeviceRecord(self.kind, self.label, self.form, self.confidence, self.evidence, self.is_default)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step could not be measured. `code` is one of vocabulary.FAILURES; `detail` holds no address."""

    step: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One probe's answer about one subject (a link's or a device's name).

    `values` and `unknown` share one set of names, those of the vocabulary: a quantity stands in `values`
    when it was measured, in `unknown` with the reason when it could not be, and in neither when this probe
    does not concern it.
    """

    name: str
    subject: str
    started_at: float  # seconds since 1970-01-01 UTC
    duration_s: float
    values: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy rule applied to one subject. `advice` is a message id of reports/advice."""

    level: Level
    rule: str
    subject: str
    value: float | str | None
    limit: float | str | None
    owner: Owner
    advice: str
    sure: bool = True  # False: the value's confidence interval crosses the limit
    source: str = ""
    params: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst that matters, its findings (most useful first), and the one next action (a message id)."""

    level: Level
    findings: tuple[Finding, ...] = ()
    action: str = ""
    action_params: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """Which program on what kind of computer; nothing that names the computer or its user."""

    version: str
    platform: str
    python: str


@dataclass(frozen=True, slots=True)
class SelfTest:
    """One run, whole."""

    run_id: str
    started_at: float
    duration_s: float
    agent: AgentInfo
    room: str  # "embedded" | "configured" | "none": never its address
    interrupted: bool
    links: tuple[Link, ...]
    measurements: tuple[Measurement, ...]
    verdict: Verdict
    devices: tuple[DeviceRecord, ...] = ()
