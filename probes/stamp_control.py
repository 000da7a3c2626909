"""Asking a STAMP reflector for more, fewer, longer or shorter replies: the Reflected Test Packet Control TLV.

draft-ietf-ippm-asymmetrical-pkts-14, section 3 (RFC Editor's queue; IANA gave it type 12 and the flag C). Pure, like
probes.stamp. The TLV comes first, the HMAC TLV after it, Extra Padding at the end; the value is 12 octets:

    length of the reflected packet (16 bits) | number of the reflected packets (16 bits)
    interval between the reflected packets, nanoseconds (32 bits) | an empty sub-TLV (32 bits)
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from probes import stamp

TLV_CONTROL = 12
FLAG_NOT_AS_ASKED = 0x10  # C: the reflector could not, or would not, do what was asked
VALUE = Struct(">HHI4x")
CONTROL_BYTES = stamp.TLV_HEADER.size + VALUE.size
SMALLEST = stamp.AUTH_BYTES + CONTROL_BYTES + stamp.HMAC_TLV_BYTES  # a packet with this TLV, and its signature
_REFUSALS = stamp.FLAG_UNRECOGNIZED | stamp.FLAG_MALFORMED | stamp.FLAG_INTEGRITY | FLAG_NOT_AS_ASKED


class Control(NamedTuple):
    """`length` of a reply (UDP payload octets), their `number` (0: none at all), and the pause between them."""

    length: int
    number: int
    interval_ns: int = 0


def template(size: int, control: Control) -> bytearray:
    """An authenticated sender's packet of `size` octets that asks for `control`; write() fills it.

    ValueError: too small.
    """
    if size < SMALLEST:
        raise ValueError(f"such a packet has at least {SMALLEST} octets, not {size}")
    buffer = bytearray(size)
    unread = stamp.FLAG_UNRECOGNIZED
    stamp.TLV_HEADER.pack_into(buffer, stamp.AUTH_BYTES, unread, TLV_CONTROL, VALUE.size)
    VALUE.pack_into(buffer, stamp.AUTH_BYTES + stamp.TLV_HEADER.size, *control)
    stamp.TLV_HEADER.pack_into(buffer, stamp.AUTH_BYTES + CONTROL_BYTES, unread, stamp.TLV_HMAC, stamp.HMAC_BYTES)
    stamp.pad(buffer, SMALLEST, unread)
    return buffer


def write(buffer: stamp.Buffer, test: stamp.SenderPacket, key: stamp.Key) -> None:
    """Fill a template and sign it, base and TLVs."""
    stamp.write_sender(buffer, test, key, follow_up=False)
    stamp.sign(buffer, key, stamp.AUTH_BYTES + CONTROL_BYTES)


def read(packet: stamp.Buffer, offset: int) -> Control | None:
    """What the TLV at that offset asks for; None when it is too short to say."""
    _, _, length = stamp.TLV_HEADER.unpack_from(packet, offset)
    if length < VALUE.size or offset + stamp.TLV_HEADER.size + length > len(packet):
        return None
    return Control(*VALUE.unpack_from(packet, offset + stamp.TLV_HEADER.size))


def as_asked(reply: stamp.Buffer) -> bool | None:
    """Did the reflector do what the TLV asked? None: the reply has no such TLV. Signatures are the caller's."""
    offset = stamp.find_tlvs(reply, stamp.AUTH_BYTES).get(TLV_CONTROL)
    return None if offset is None else not reply[offset] & _REFUSALS
