"""A caller's offer read, and the room's answer written: SDP (RFC 8866) as WebRTC uses it (RFC 8829), one bundle.

The answer takes the first Opus and the first VP8 section that are to go both ways, keeps the offer's payload types
and header extensions, and turns everything else down. What comes is not trusted: OfferError says what is wrong.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aiortc.rtcrtpparameters import RTCRtpCodecParameters
    from aiortc.sdp import MediaDescription, SessionDescription

MOST_OCTETS = 32_768
_MOST_SECTIONS = 16
# The parser compares each of these with all of the others: without limits one offer would hold up every call. They are
# counted wherever they stand, since to the parser lines end at more than line feeds.
_MOST_LINES = {"a=rtpmap:": 96, "a=rtcp-fb:": 192, "a=ssrc:": 128}  # Chromium 156: 31, 51, 6
_PROFILE = "UDP/TLS/RTP/SAVPF"
_CODECS = {"audio": "audio/opus", "video": "video/vp8"}
_TOKEN = re.compile(r"[\w.!#$%&'*+^`{|}~-]{1,64}", re.ASCII)
_ICE = re.compile(r"[A-Za-z0-9+/]{4,256}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}")
_FEEDBACK = {("nack", None), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", None)}
_EXTENSIONS = (
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",  # what the caller's own bandwidth estimate needs
)

Kind = Literal["audio", "video"]


class OfferError(ValueError):
    """Not an offer that the room can answer."""


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line of the offer. `kind` None: turned down. `lines`: what the answer says of the codec."""

    medium: str
    rest: str  # of the m-line, behind the port
    mid: str
    kind: Kind | None = None
    payload_type: int = 0
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What is needed of it. `ufrag` of its ICE; `fingerprints` (algorithm, value) of its DTLS certificate."""

    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """The room's end: where it hears, its ICE user fragment and password, its certificate, an SSRC for each kind."""

    address: str
    port: int
    ufrag: str
    password: str
    fingerprint: str  # SHA-256
    ssrcs: dict[str, int]
    cname: str


def read(text: str) -> Offer:
    """An offer. Raises OfferError."""
    from aiortc.sdp import SessionDescription

    if len(text) > MOST_OCTETS:
        raise OfferError("too long")
    if any(text.count(kind) > most for kind, most in _MOST_LINES.items()):
        raise OfferError("too many lines of a kind")
    try:
        described = SessionDescription.parse(text)
    except Exception as error:  # the parser asserts, indexes and converts; all of it means the same
        raise OfferError("not SDP") from error
    return _offer(described)


def _offer(described: SessionDescription) -> Offer:
    if not 0 < len(described.media) <= _MOST_SECTIONS:
        raise OfferError("no media, or too many")
    if not all(media.fmt for media in described.media):
        raise OfferError("a medium without formats")
    chosen = _chosen(described)
    if not chosen:
        raise OfferError("neither Opus nor VP8 both ways")
    first = described.media[min(chosen)]
    ice, prints = first.ice, first.dtls.fingerprints if first.dtls else []
    ufrag, password = (ice.usernameFragment or "", ice.password or "") if ice else ("", "")
    if not _ICE.fullmatch(ufrag) or not _ICE.fullmatch(password):
        raise OfferError("no ICE user fragment or password")
    if first.dtls is None or first.dtls.role == "server" or not any(f.algorithm.lower() == "sha-256" for f in prints):
        raise OfferError("no DTLS fingerprint, or a server's part")
    if not all(_FINGERPRINT.fullmatch(f.value) for f in prints):
        raise OfferError("a fingerprint that is none")
    sections = tuple(_section(m, i in chosen) for i, m in enumerate(described.media))
    if len({s.payload_type for s in sections if s.kind}) < len(chosen):
        raise OfferError("one payload type for two codecs")
    return Offer(ufrag, tuple((f.algorithm, f.value) for f in prints), sections)


def _chosen(described: SessionDescription) -> dict[int, Kind]:
    """The sections to take by their places: one of each kind, and no more than go by one transport."""
    bundle = {m for g in described.group[:_MOST_SECTIONS] if g.semantic == "BUNDLE" for m in g.items}
    chosen: dict[int, Kind] = {}
    for index, media in enumerate(described.media):
        kind = _kind(media)
        together = not chosen or {media.rtp.muxId, described.media[min(chosen)].rtp.muxId} <= bundle
        if kind is not None and kind not in chosen.values() and together:
            chosen[index] = kind
    return chosen


def _kind(media: MediaDescription) -> Kind | None:
    whole = media.port and media.rtcp_mux and media.direction in ("sendrecv", None) and media.profile == _PROFILE
    if not whole or not _TOKEN.fullmatch(media.rtp.muxId or "") or _codec(media) is None:
        return None
    return "audio" if media.kind == "audio" else "video"


def _codec(media: MediaDescription) -> RTCRtpCodecParameters | None:
    name = _CODECS.get(media.kind)
    return next((c for c in media.rtp.codecs if c.mimeType.lower() == name and 0 <= (c.payloadType or 0) < 128), None)


def _section(media: MediaDescription, taken: bool) -> Section:
    mid = media.rtp.muxId if _TOKEN.fullmatch(media.rtp.muxId or "") else ""
    codec = _codec(media)
    if not taken or codec is None:
        return Section(media.kind, f"{media.profile} {media.fmt[0]}", mid)
    kind: Kind = "audio" if media.kind == "audio" else "video"
    number = codec.payloadType or 0
    return Section(kind, f"{_PROFILE} {number}", mid, kind, number, tuple(_codec_lines(media, codec)))


def _codec_lines(media: MediaDescription, codec: RTCRtpCodecParameters) -> Iterator[str]:
    number = codec.payloadType
    yield f"a=rtpmap:{number} {'opus/48000/2' if media.kind == 'audio' else 'VP8/90000'}"
    if media.kind == "audio":
        yield f"a=fmtp:{number} minptime=10;useinbandfec=1"
    for feedback in codec.rtcpFeedback:
        if (feedback.type, feedback.parameter) in _FEEDBACK and media.kind == "video":
            yield f"a=rtcp-fb:{number} " + " ".join(filter(None, (feedback.type, feedback.parameter)))
    for extension in media.rtp.headerExtensions:
        if extension.uri in _EXTENSIONS and 0 < extension.id < 256:
            yield f"a=extmap:{extension.id} {extension.uri}"


def write(offer: Offer, ours: Ours) -> str:
    """The answer."""
    mids = " ".join(s.mid for s in offer.sections if s.kind)
    lines = ["v=0", f"o=- {secrets.randbits(62)} 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite"]
    lines += [f"a=group:BUNDLE {mids}", "a=msid-semantic: WMS *"]
    for section in offer.sections:
        lines += _taken(section, ours) if section.kind else _turned_down(section)
    return "\r\n".join(lines) + "\r\n"


def _turned_down(section: Section) -> list[str]:
    lines = [f"m={section.medium} 0 {section.rest}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{section.mid}"] if section.mid else lines


def _taken(section: Section, ours: Ours) -> list[str]:
    family, ssrc = "IP6" if ":" in ours.address else "IP4", ours.ssrcs[section.kind or ""]
    return [
        f"m={section.medium} {ours.port} {section.rest}",
        f"c=IN {family} {ours.address}",
        f"a=mid:{section.mid}",
        "a=sendrecv",
        "a=rtcp-mux",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        "a=setup:passive",
        *section.lines,
        f"a=msid:echo {section.kind}",
        f"a=ssrc:{ssrc} cname:{ours.cname}",
        f"a=candidate:1 1 udp 2130706431 {ours.address} {ours.port} typ host",
        "a=end-of-candidates",
    ]
