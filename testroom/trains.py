"""Replies of another length or number than the packets that ask for them, for measuring capacity from here to there.

What is more than was sent goes only to the address that asked for the session over HTTPS: a TCP handshake has proved
that it is there, so that nobody can aim the room at somebody else. Each session has its octets, and they are few.
"""

from __future__ import annotations

import ipaddress
import time
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from probes import stamp, stamp_control
from probes.stamp_control import Control
from testroom.datagrams import STAGE

if TYPE_CHECKING:
    from testroom.admission import Admission
    from testroom.datagrams import Port
    from testroom.sessions import StampSession

MOST_NUMBER = 320  # of packets at one request: the reflector's thread is busy with them for some 5 ms
MOST_LENGTH = 1472  # UDP payload of an Ethernet frame over IPv4: nothing is fragmented
MOST_OCTETS = 1_000_000  # of one session, in IP packets
_HEADERS = 48  # IPv6 and UDP
_SEQUENCE, _TIME = Struct(">I"), Struct(">Q")
_TIME_AT = 16


class Asked(NamedTuple):
    """A packet whose TLVs have been answered, with where its Control and HMAC TLVs are."""

    port: Port
    slot: int
    packet: memoryview
    control_at: int
    hmac_at: int


class Trains:
    """Used by the reflector's thread only."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def shape(self, asked: Asked, session: StampSession) -> tuple[memoryview, int]:
        """The first reply, with the length that it shall have, and how many there shall be.

        Not granted, or not understood: one reply no longer than what came, with the flag that says so.
        """
        packet, least = asked.packet, asked.hmac_at + stamp.HMAC_TLV_BYTES
        control = stamp_control.read(packet, asked.control_at)
        if control is None:
            packet[asked.control_at] = stamp.FLAG_MALFORMED
            return packet, 1
        size = max(control.length, least)
        if not self._granted(asked, session, control, size):
            packet[asked.control_at] = stamp_control.FLAG_NOT_AS_ASKED
            self._admission.counts.refused["train"] += 1
            return _resized(asked, min(size, len(packet)), least), 1
        packet[asked.control_at] = 0
        return _resized(asked, size, least), control.number

    def _granted(self, asked: Asked, session: StampSession, control: Control, size: int) -> bool:
        if control.number * size <= len(asked.packet):
            return True
        octets = control.number * (size + _HEADERS)
        address = asked.port.address(asked.slot)[:-2]
        granted = (
            control.number <= MOST_NUMBER
            and size <= MOST_LENGTH
            and control.interval_ns == 0
            and session.train_octets + octets <= MOST_OCTETS
            and _is_same(session.address, address)
            and self._admission.allows(address, control.number)
        )
        if granted:
            session.train_octets += octets
        return granted

    def send(self, asked: Asked, session: StampSession, first: memoryview, number: int) -> int:
        """Send that many copies of the reply back-to-back, each with its own sequence number, time and signatures.

        The time in each is taken right before it is signed. Returns how many could not be sent.
        """
        size, left = len(first), number
        while left > 0:
            count = min(left, STAGE)
            for place in range(count):
                packet = asked.port.stage(place)[:size]
                packet[:] = first
                _SEQUENCE.pack_into(packet, 0, session.next_sequence + place)
                _TIME.pack_into(packet, _TIME_AT, stamp.to_ntp(time.time_ns()))
                stamp.sign(packet, session.key, asked.hmac_at)
            sent = asked.port.send_staged(asked.slot, count, size)
            session.next_sequence += sent
            self._admission.counts.reflected += sent
            left -= sent
            if sent < count:  # the sending queue is full
                break
        return left


def _resized(asked: Asked, size: int, least: int) -> memoryview:
    """The packet with that many octets: Extra Padding after the HMAC TLV at `least`, and nothing left from others."""
    before = len(asked.packet)
    packet = asked.port.resize(asked.slot, size)
    if size > before:
        packet[before:] = bytes(size - before)
    stamp.pad(packet, least)
    return packet


def _is_same(text: str, packed: bytes) -> bool:
    """Is the address of the HTTPS request that of the datagram? An IPv4 address may come mapped into IPv6."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return packed in (address.packed, mapped.packed if mapped else address.packed)
