"""Many datagrams at once: what the reflector does to one packet, done to a whole batch in numpy columns.

Only what is common under load is done here: base packets without TLVs, and our own agents' layout (Follow-Up, HMAC,
Extra Padding). All else is handed back, to be answered one by one by the code that knows every form. Signatures stay
one by one too. A departure stamp for each answer would cost more than the answer, so none is asked for here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes import stamp
from testroom.admission import CLOCK_ERROR, Admission, PlainSession
from testroom.datagrams import BATCH, SLOT_BYTES
from testroom.mmsg import CONTROL_SLOT, CONTROL_WORD, WORDS, BatchPort
from testroom.sessions import StampSession
from testroom.signatures import FOLLOW_UP_AT, HMAC_AT, Signatures

Column = NDArray[Any]
Group = tuple[bytes, list[int]]
_PADDING_AT = HMAC_AT + stamp.HMAC_TLV_BYTES
Zero = tuple[tuple[int, int], ...]  # must be zero (RFC 8762, section 4.3); the last follows the sender's TTL
_PLAIN_ZERO: Zero = ((38, 40), (41, 44))
_AUTH_ZERO: Zero = ((4, 16), (28, 32), (40, 48), (52, 64), (74, 80), (81, 96))


def _tlv(kind: int, length: int) -> int:
    return int.from_bytes(stamp.TLV_HEADER.pack(stamp.FLAG_UNRECOGNIZED, kind, length), "big")


class _Fields:
    """The columns of a reflector's packet; a sender's has `sequence`, `time` and `error` in the same places."""

    def __init__(self, memory: Any, receive: int, sender: int, sender_time: int, first: int, zero: Zero) -> None:
        def column(kind: str, offset: int) -> Column:
            return np.ndarray((BATCH,), kind, memory, offset, (SLOT_BYTES,))

        self.sequence, self.time, self.error = column(">u4", 0), column(">u8", first), column(">u2", first + 8)
        self.receive, self.sender = column(">u8", receive), column(">u4", sender)
        self.sender_time, self.sender_error = column(">u8", sender_time), column(">u2", sender_time + 8)
        self.ttl = column("u1", zero[-1][0] - 1)
        self._bytes = np.ndarray((BATCH, SLOT_BYTES), np.uint8, memory)
        self._zero = [slice(*ends) for ends in zero]

    def answer(self, slots: Column, sequences: Sequence[int], received: Column, ttl: Column) -> None:
        """Turn the senders' packets of those slots into the reflector's."""
        self.sender[slots], self.sender_time[slots] = self.sequence[slots], self.time[slots]
        self.sender_error[slots], self.ttl[slots] = self.error[slots], ttl[slots]
        self.sequence[slots], self.receive[slots] = sequences, received[slots]
        self.time[slots], self.error[slots] = stamp.to_ntp(time.time_ns()), CLOCK_ERROR
        for unused in self._zero:
            self._bytes[slots, unused] = 0


@dataclass(slots=True)
class _Batch:
    """What can be seen of each slot at once; `rest` collects what is left to the one-by-one path."""

    usual: list[bool]  # our agents' TLVs, and no others
    known: list[bool]  # those, or an authenticated base packet
    padded: list[bool]  # a plain packet with Extra Padding to its end
    numbers: list[int]
    times: list[int]
    rest: list[int] = field(default_factory=list)


class Bulk:
    """Works on one port's batch, under the same admission as the reflector's own path."""

    def __init__(self, port: BatchPort, admission: Admission) -> None:
        self._port, self._admission = port, admission
        slots = port.slots
        self._data = _whole(slots.data_memory, np.uint8).reshape(BATCH, SLOT_BYTES)
        self._names = _whole(slots.names_memory, np.uint8).reshape(BATCH, 32)
        self._control = _whole(slots.control_memory, np.uint8).reshape(BATCH, CONTROL_SLOT)
        self._headers = _whole(slots.messages, np.uintp).reshape(BATCH, WORDS)
        self._iovecs = _whole(slots.iovecs, np.uintp).reshape(BATCH, 2)
        self._plain_fields = _Fields(slots.data_memory, 16, 24, 28, 4, _PLAIN_ZERO)
        self._auth_fields = _Fields(slots.data_memory, 32, 48, 64, 16, _AUTH_ZERO)
        self._signatures = Signatures(slots.data)
        self._address = slice(8, 24) if port.sock.family.name == "AF_INET6" else slice(4, 8)

    def reflect(self, count: int) -> list[int]:
        """Answer what is common among the first `count` datagrams; the slots of the rest."""
        if not self._port.alike(count) or not self._same_way(count):
            return list(range(count))
        received, ttl = self._arrivals(count)
        batch = self._look(count, received)
        plain: list[int] = []
        plain_sequences: list[int] = []
        signed: list[tuple[StampSession, list[int]]] = []
        for sender, slots in self._by_sender(count):
            session = self._admission.session(int.from_bytes(sender[-2:], "big"))
            if session is not None:
                if kept := self._authentic(session, sender[:-6], slots, batch):
                    signed.append((session, kept))
            elif kept := self._plain(sender[:-6], slots, batch):
                plain += kept
                plain_sequences += _next(self._admission.plain_session(sender[:-2]), len(kept))
        ntp = _to_ntp(received)
        if plain:
            self._plain_fields.answer(np.array(plain), plain_sequences, ntp, ttl)
            self._data[[slot for slot in plain if batch.padded[slot]], stamp.BASE_BYTES] = 0
            self._send(plain)
        if signed:
            self._answer_signed(signed, batch, ntp, ttl)
        return sorted(batch.rest)

    def _look(self, count: int, received: Column) -> _Batch:
        sizes = np.array(self._port.octets[:count])
        usual = self._usual_tlvs(count)
        return _Batch(
            usual=usual.tolist(),
            known=(usual | (sizes == stamp.AUTH_BYTES)).tolist(),
            padded=self._only_padded(count).tolist(),
            numbers=self._auth_fields.sequence[:count].tolist(),
            times=received.tolist(),
        )

    def _same_way(self, count: int) -> bool:
        """Were all sent to one of our addresses?"""
        info = self._control[:count, self._port.layout(0).source]
        return bool((info == info[0]).all())

    def _arrivals(self, count: int) -> tuple[Column, Column]:
        """Nanoseconds since 1970, and TTLs."""
        layout = self._port.layout(0)
        ttl = self._column_of(self._control, layout.ttl, np.int32, 1, count)[:, 0] if layout.ttl else None
        ttls = np.full(count, 255, np.uint8) if ttl is None else ttl.astype(np.uint8)
        if not layout.stamp:
            return np.full(count, time.time_ns()), ttls
        pair = self._column_of(self._control, layout.stamp, np.int64, 2, count)
        return pair[:, 0] * 1_000_000_000 + pair[:, 1], ttls

    @staticmethod
    def _column_of(memory: NDArray[np.uint8], offset: int, kind: type, items: int, count: int) -> Column:
        size = np.dtype(kind).itemsize * items
        return np.ascontiguousarray(memory[:count, offset : offset + size]).view(kind)

    def _by_sender(self, count: int) -> Iterable[Group]:
        """Slots by address, port, plain SSID and authenticated SSID (0 in a packet too short to have one)."""
        names, data = self._names[:count], self._data[:count]
        keys = np.concatenate((names[:, self._address], names[:, 2:4], data[:, 14:16], data[:, 26:28]), axis=1)
        sizes = self._port.octets
        width, raw = keys.shape[1], keys.tobytes()
        groups: dict[bytes, list[int]] = {}
        for slot in range(count):
            key = raw[slot * width : (slot + 1) * width]
            if sizes[slot] < stamp.AUTH_BYTES:
                key = key[:-2] + b"\0\0"
            if (group := groups.get(key)) is None:
                groups[key] = [slot]
            else:
                group.append(slot)
        return groups.items()

    def _usual_tlvs(self, count: int) -> Column:
        """Which have the TLVs that our agents send, and no others."""
        data = self._data[:count]
        heads = [np.ascontiguousarray(data[:, at : at + 4]).view(">u4")[:, 0] for at in (FOLLOW_UP_AT, HMAC_AT)]
        padding = np.ascontiguousarray(data[:, _PADDING_AT : _PADDING_AT + 4]).view(">u4")[:, 0]
        sizes = np.array(self._port.octets[:count])
        fits = padding == _tlv(stamp.TLV_PADDING, 0) + sizes - _PADDING_AT - stamp.TLV_HEADER.size
        first = heads[0] == _tlv(stamp.TLV_FOLLOW_UP, stamp.FOLLOW_UP.size)
        second = heads[1] == _tlv(stamp.TLV_HMAC, stamp.HMAC_BYTES)
        usual: Column = first & second & fits & (sizes >= _PADDING_AT + stamp.TLV_HEADER.size)
        return usual

    def _only_padded(self, count: int) -> Column:
        """Which plain packets have one Extra Padding TLV to their end."""
        base = stamp.BASE_BYTES
        head = np.ascontiguousarray(self._data[:count, base : base + 4]).view(">u4")[:, 0]
        sizes = np.array(self._port.octets[:count])
        fits = head == _tlv(stamp.TLV_PADDING, 0) + sizes - base - stamp.TLV_HEADER.size
        padded: Column = fits & (sizes >= base + stamp.TLV_HEADER.size)
        return padded

    def _plain(self, address: bytes, slots: list[int], batch: _Batch) -> list[int]:
        """Those of a plain sender that are to be answered here: from an open network that is within its rate."""
        sizes, padded = self._port.octets, batch.padded
        kept = [slot for slot in slots if sizes[slot] == stamp.BASE_BYTES or padded[slot]]
        if not kept or not self._admission.is_open_to(address) or not self._admission.allows(address, len(kept)):
            batch.rest += slots
            return []
        if len(kept) < len(slots):
            batch.rest += [slot for slot in slots if slot not in kept]
        return kept

    def _authentic(self, session: StampSession, address: bytes, slots: list[int], batch: _Batch) -> list[int]:
        """Those of a session's packets that are to be answered here.

        All of them go to the rest when one needs a closer look: it must not be overtaken by the others.
        """
        admission = self._admission
        if (
            False in [batch.known[slot] for slot in slots]
            or not admission.allows(address, len(slots))
            or not self._signatures.hold(session.key, slots, batch.usual)
            or session.expires_at <= time.monotonic()
            or not session.bucket.allow(batch.times[slots[0]], len(slots))
        ):
            batch.rest += slots
            return []
        numbers, admit = batch.numbers, session.tally.admit
        kept = [slot for slot in slots if admit(numbers[slot])]
        if len(kept) < len(slots):
            admission.counts.refused["seen_before"] += len(slots) - len(kept)
        return kept

    def _answer_signed(
        self, groups: list[tuple[StampSession, list[int]]], batch: _Batch, ntp: Column, ttl: Column
    ) -> None:
        slots = [slot for _, kept in groups for slot in kept]
        sequences = [sequence for session, kept in groups for sequence in _next(session, len(kept))]
        self._auth_fields.answer(np.array(slots, np.intp), sequences, ntp, ttl)
        with_tlvs = np.array([slot for slot in slots if batch.usual[slot]], np.intp)
        for head in (FOLLOW_UP_AT, HMAC_AT, _PADDING_AT):
            self._data[with_tlvs, head] = 0
        for session, kept in groups:
            follow_up = _follow_up(session) if with_tlvs.size else b""
            self._signatures.renew(session.key, kept, batch.usual, follow_up)
        self._send(slots)

    def _send(self, slots: list[int]) -> None:
        """Put them on the port's list of answers."""
        port = self._port
        source = self._control[0, port.layout(0).source].tobytes()
        way, rows = port.way(source), np.array(slots, np.intp)
        self._headers[rows, CONTROL_WORD], self._headers[rows, CONTROL_WORD + 1] = way.plain_at, way.plain_size
        self._iovecs[rows, 1] = np.array(port.octets, np.uintp)[rows]
        port.pending += slots
        self._admission.counts.reflected += len(slots)


def _follow_up(session: StampSession) -> bytes:
    """The value of the session's Follow-Up TLV."""
    value = bytearray(stamp.FOLLOW_UP.size)
    stamp.write_follow_up(value, 0, session.follow_up)
    return bytes(value)


def _whole(memory: Any, kind: type) -> Column:
    return np.frombuffer(memory, kind)


def _next(session: StampSession | PlainSession, packets: int) -> range:
    """The session's next sequence numbers, used up."""
    first = session.next_sequence
    session.next_sequence = first + packets
    return range(first, first + packets)


def _to_ntp(unix_ns: Column) -> Column:
    """stamp.to_ntp for a column."""
    seconds, nanoseconds = np.divmod(unix_ns, 1_000_000_000)
    fraction = ((nanoseconds << 32) + 500_000_000) // 1_000_000_000
    ntp: Column = ((seconds + stamp.NTP_EPOCH_OFFSET_S).astype(np.uint64) << np.uint64(32)) + fraction.astype(np.uint64)
    return ntp
