"""STAMP on the wire: RFC 8762 test packets, RFC 8972 session identifier and TLVs. Shared with the test room.

Times are integers, nanoseconds since 1970-01-01 UTC. Packets are written into a caller's buffer so that a
sender or reflector allocates nothing per packet. Everything here is pure: no socket, no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from struct import Struct
from typing import NamedTuple

PORT = 862  # RFC 8762, section 4.1
NTP_EPOCH_OFFSET_S = 2_208_988_800  # 1900-01-01 to 1970-01-01, RFC 5905
HMAC_BYTES = 16
BASE_BYTES = 44  # unauthenticated, both directions
AUTH_BYTES = 112  # authenticated, both directions

TLV_HEADER = Struct(">BBH")  # flags, type, length of the value
FLAG_UNRECOGNIZED, FLAG_MALFORMED, FLAG_INTEGRITY = 0x80, 0x40, 0x20
TLV_PADDING, TLV_FOLLOW_UP, TLV_HMAC = 1, 7, 8  # RFC 8972, section 5.1
FOLLOW_UP = Struct(">IQBxxx")  # reflector's sequence number, its transmit time, timestamp mode
FOLLOW_UP_BYTES = TLV_HEADER.size + FOLLOW_UP.size
HMAC_TLV_BYTES = TLV_HEADER.size + HMAC_BYTES
TIMESTAMP_SOFTWARE_LOCAL = 2  # RFC 8972, table 7

_SENDER = Struct(">IQHH28x")
_SENDER_AUTH = Struct(">I12xQHH68x")
_REFLECTOR = Struct(">IQHHQIQHxxB3x")
_REFLECTOR_AUTH = Struct(">I12xQHH4xQ8xI12xQH6xB15x")
_AUTH_SSID = Struct(">H")
_NTP = Struct(">Q")
_AUTH_SSID_OFFSET = 26
_HMAC_OFFSET = AUTH_BYTES - HMAC_BYTES

Buffer = bytearray | memoryview


def to_ntp(unix_ns: int) -> int:
    """64-bit NTP timestamp, rounded to its 233 ps. RFC 5905, section 6. Wraps at the NTP era (2036)."""
    seconds, nanoseconds = divmod(unix_ns, 1_000_000_000)
    fraction = ((nanoseconds << 32) + 500_000_000) // 1_000_000_000
    return ((seconds + NTP_EPOCH_OFFSET_S << 32) + fraction) & 0xFFFF_FFFF_FFFF_FFFF


def from_ntp(ntp: int) -> int:
    """Nanoseconds since 1970. Seconds below 2^31 belong to the era that begins in 2036 (RFC 4330, section 3)."""
    seconds, fraction = ntp >> 32, ntp & 0xFFFF_FFFF
    if seconds < 0x8000_0000:
        seconds += 1 << 32
    return (seconds - NTP_EPOCH_OFFSET_S) * 1_000_000_000 + (fraction * 1_000_000_000 + (1 << 31) >> 32)


def error_estimate(error_s: float, *, synchronized: bool = False) -> int:
    """The 16-bit field S|Z|Scale|Multiplier of RFC 4656, section 4.1.2; Z is 0: NTP format.

    The estimate is rounded up, never below 2^-32 s (a multiplier of zero is forbidden).
    """
    units = max(1, -int(-error_s * 2**32 // 1))
    scale = max(0, units.bit_length() - 8)
    scale += -(-units >> scale) > 255
    if scale > 63:
        return (synchronized << 15) | 0x3FFF
    return (synchronized << 15) | scale << 8 | -(-units >> scale)


def error_seconds(estimate: int) -> float:
    """What a packet's error estimate says, in seconds."""
    return float((estimate & 0xFF) * 2.0**-32 * 2.0 ** (estimate >> 8 & 0x3F))


class Key:
    """HMAC-SHA-256 truncated to 16 octets (RFC 8762, section 4.4), with the key's two blocks hashed beforehand.

    Copying the two prepared hashes costs under half of hmac.digest, which sets the key anew each time.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
        self._outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))

    def sign(self, *parts: Buffer | bytes) -> bytes:
        """16 octets over the parts in turn."""
        inner = self._inner.copy()
        for part in parts:
            inner.update(part)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[:HMAC_BYTES]


class SenderPacket(NamedTuple):
    """A Session-Sender's packet."""

    sequence: int
    timestamp_ns: int
    error: int
    ssid: int


class ReflectorPacket(NamedTuple):
    """A Session-Reflector's packet. `follow_up` is (reflector sequence, transmit time) of an earlier reply."""

    sequence: int
    timestamp_ns: int
    error: int
    ssid: int
    receive_ns: int
    sender_sequence: int
    sender_timestamp_ns: int
    sender_ttl: int
    follow_up: tuple[int, int] | None = None


def smallest(*, authenticated: bool, follow_up: bool) -> int:
    """Octets of the shortest packet with these parts."""
    base = AUTH_BYTES if authenticated else BASE_BYTES
    return base + follow_up * (FOLLOW_UP_BYTES + authenticated * HMAC_TLV_BYTES)


def pad(buffer: Buffer, start: int, flags: int = 0) -> None:
    """Fill the rest with an Extra Padding TLV where its header fits; three octets or fewer stay as they are."""
    if (rest := len(buffer) - start) >= TLV_HEADER.size:
        TLV_HEADER.pack_into(buffer, start, flags, TLV_PADDING, rest - TLV_HEADER.size)


def template(size: int, *, authenticated: bool, follow_up: bool) -> bytearray:
    """A sender's packet of `size` octets with its TLVs laid out; write_sender fills it. ValueError: too small."""
    least = smallest(authenticated=authenticated, follow_up=follow_up)
    if size < least:
        raise ValueError(f"a STAMP packet of this kind has at least {least} octets, not {size}")
    buffer = bytearray(size)
    end = AUTH_BYTES if authenticated else BASE_BYTES
    if follow_up:
        TLV_HEADER.pack_into(buffer, end, FLAG_UNRECOGNIZED, TLV_FOLLOW_UP, FOLLOW_UP.size)
        end += FOLLOW_UP_BYTES
        if authenticated:
            TLV_HEADER.pack_into(buffer, end, FLAG_UNRECOGNIZED, TLV_HMAC, HMAC_BYTES)
            end += HMAC_TLV_BYTES
    pad(buffer, end, FLAG_UNRECOGNIZED)
    return buffer


def write_sender(buffer: Buffer, test: SenderPacket, key: Key | None, *, follow_up: bool) -> None:
    """Fill a template. With a key the base packet is signed, and so are the TLVs (RFC 8972, section 4.8)."""
    write = _SENDER if key is None else _SENDER_AUTH
    write.pack_into(buffer, 0, test.sequence, to_ntp(test.timestamp_ns), test.error, test.ssid)
    if key is not None:
        sign(buffer, key, AUTH_BYTES + FOLLOW_UP_BYTES if follow_up else None)


def sign(buffer: Buffer, key: Key, hmac_tlv: int | None) -> None:
    """Sign the base packet and, when there is an HMAC TLV (at that offset), the TLVs before it."""
    view = memoryview(buffer)
    view[_HMAC_OFFSET:AUTH_BYTES] = key.sign(view[:_HMAC_OFFSET])
    if hmac_tlv is not None:
        value = hmac_tlv + TLV_HEADER.size
        view[value : value + HMAC_BYTES] = key.sign(view[:4], view[AUTH_BYTES:hmac_tlv])


def base_signed(packet: Buffer, key: Key) -> bool:
    """Does the base packet's signature hold?"""
    view = memoryview(packet)
    return hmac.compare_digest(view[_HMAC_OFFSET:AUTH_BYTES], key.sign(view[:_HMAC_OFFSET]))


def tlvs_signed(packet: Buffer, key: Key, hmac_tlv: int) -> bool:
    """Does the HMAC TLV at that offset hold for the TLVs before it?"""
    view, value = memoryview(packet), hmac_tlv + TLV_HEADER.size
    if len(view) < value + HMAC_BYTES:
        return False
    return hmac.compare_digest(view[value : value + HMAC_BYTES], key.sign(view[:4], view[AUTH_BYTES:hmac_tlv]))


def read_ssid(packet: Buffer, *, authenticated: bool) -> int:
    """The session identifier of a packet that is long enough for its mode."""
    return int(_AUTH_SSID.unpack_from(packet, _AUTH_SSID_OFFSET if authenticated else 14)[0])


def read_sender(packet: Buffer, *, authenticated: bool) -> SenderPacket:
    """A sender's packet that is long enough for its mode."""
    sequence, ntp, error, ssid = (_SENDER_AUTH if authenticated else _SENDER).unpack_from(packet)
    return SenderPacket(sequence, from_ntp(ntp), error, ssid)


def write_reflector(buffer: Buffer, reply: ReflectorPacket, sender_error: int, *, authenticated: bool) -> None:
    """Turn a sender's packet into the reflector's, in place. TLVs and signatures are the caller's.

    The sender's timestamp is moved as it stands: it may be finer than a nanosecond, or in another format.
    """
    (sender_ntp,) = _NTP.unpack_from(buffer, 16 if authenticated else 4)
    (_REFLECTOR_AUTH if authenticated else _REFLECTOR).pack_into(
        buffer, 0, reply.sequence, to_ntp(reply.timestamp_ns), reply.error, reply.ssid, to_ntp(reply.receive_ns),
        reply.sender_sequence, sender_ntp, sender_error, reply.sender_ttl,
    )  # fmt: skip


def read_reflector(packet: Buffer, *, authenticated: bool) -> ReflectorPacket | None:
    """A reflector's packet with its Follow-Up Telemetry. Signatures: see base_signed().

    None when it is too short, or has no receive time: then it is a sender's own packet come back.
    """
    base = AUTH_BYTES if authenticated else BASE_BYTES
    if len(packet) < base:
        return None
    seq, ntp, error, ssid, receive, sender_seq, sender_ntp, _, ttl = (
        _REFLECTOR_AUTH if authenticated else _REFLECTOR
    ).unpack_from(packet)
    if receive == 0:
        return None
    follow_up = None
    if (offset := find_tlvs(packet, base).get(TLV_FOLLOW_UP)) is not None:
        follow_up = _read_follow_up(packet, offset)
    return ReflectorPacket(
        seq, from_ntp(ntp), error, ssid, from_ntp(receive), sender_seq, from_ntp(sender_ntp), ttl, follow_up
    )


def _read_follow_up(packet: Buffer, offset: int) -> tuple[int, int] | None:
    flags, _, length = TLV_HEADER.unpack_from(packet, offset)
    if flags or length != FOLLOW_UP.size:
        return None
    sequence, ntp, mode = FOLLOW_UP.unpack_from(packet, offset + TLV_HEADER.size)
    return (sequence, from_ntp(ntp)) if ntp and mode else None


def find_tlvs(packet: Buffer, base: int) -> dict[int, int]:
    """Offset of the first TLV of each type; ends silently at the first that does not fit, and at the HMAC TLV."""
    found: dict[int, int] = {}
    offset, size = base, len(packet)
    while offset + TLV_HEADER.size <= size:
        _, kind, length = TLV_HEADER.unpack_from(packet, offset)
        if offset + TLV_HEADER.size + length > size:
            break
        found.setdefault(kind, offset)
        offset += TLV_HEADER.size + length
        if kind in (TLV_HMAC, TLV_PADDING):
            break
    return found


def reflect_tlvs(buffer: Buffer, base: int, follow_up: tuple[int, int] | None, *, intact: bool = True) -> int | None:
    """Answer a sender's TLVs in place and return the offset of its HMAC TLV, if it has one of the right length.

    Known ones lose the U flag, unknown ones keep it, one that does not fit gets M (RFC 8972, section 4), and
    every one gets I when the sender's HMAC TLV did not hold (`intact` False).
    """
    offset, size, hmac_at = base, len(buffer), None
    while offset + TLV_HEADER.size <= size:
        _, kind, length = TLV_HEADER.unpack_from(buffer, offset)
        value, end = offset + TLV_HEADER.size, offset + TLV_HEADER.size + length
        if end > size:
            buffer[offset] = FLAG_MALFORMED
            break
        flags = 0 if kind in (TLV_PADDING, TLV_FOLLOW_UP, TLV_HMAC) else FLAG_UNRECOGNIZED
        if kind == TLV_FOLLOW_UP:
            if length == FOLLOW_UP.size:
                write_follow_up(buffer, value, follow_up)
            else:
                flags |= FLAG_MALFORMED
        elif kind == TLV_HMAC and length != HMAC_BYTES:
            flags |= FLAG_MALFORMED
        buffer[offset] = flags if intact else flags | FLAG_INTEGRITY
        if kind == TLV_HMAC and length == HMAC_BYTES:
            hmac_at = offset
        offset = end
    return hmac_at


def write_follow_up(buffer: Buffer, value: int, follow_up: tuple[int, int] | None) -> None:
    """The value of a Follow-Up Telemetry TLV at that offset; zeros when no departure is known."""
    sequence, unix_ns = follow_up or (0, 0)
    FOLLOW_UP.pack_into(
        buffer, value, sequence, to_ntp(unix_ns) if follow_up else 0, TIMESTAMP_SOFTWARE_LOCAL if follow_up else 0
    )
