"""The sessions that the room has issued: keys, what has been seen of each, and when they end."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field

from probes.stamp import Key
from testroom.limits import Limits, TokenBucket

MOST_SESSIONS = 0xFFFF  # sixteen bits on the wire, and zero is for those without a session
GRACE_S = 15.0  # a session outlives its asked-for time by this, for late packets and the final report


class RoomBusyError(Exception):
    """No place: `code` is a failure of the vocabulary, `retry_after_s` when to ask again."""

    def __init__(self, code: str, retry_after_s: float) -> None:
        super().__init__(code)
        self.code, self.retry_after_s = code, retry_after_s


@dataclass(slots=True)
class Tally:
    """What arrived of one stream of sequence numbers. A bit for each number seen: exact, and small."""

    most: int
    seen: bytearray = field(default_factory=bytearray)
    received: int = 0
    duplicates: int = 0
    reordered: int = 0  # RFC 4737: below the highest seen before it
    _next: int = 0

    def admit(self, sequence: int) -> bool:
        """Count it; False when it was seen before or lies beyond the session's last number."""
        if sequence >= self.most:
            return False
        byte, bit = sequence >> 3, 1 << (sequence & 7)
        if byte >= len(self.seen):
            self.seen.extend(bytes(byte + 64 - len(self.seen)))
        if self.seen[byte] & bit:
            self.duplicates += 1
            return False
        self.seen[byte] |= bit
        self.received += 1
        if sequence >= self._next:
            self._next = sequence + 1
        else:
            self.reordered += 1
        return True


@dataclass(slots=True)
class StampSession:
    """One sender's session. `follow_up`: the latest reply whose true departure is known (sequence, ns)."""

    identifier: str
    ssid: int
    organisation: str
    address: str  # of the HTTPS request, for the caps
    secret: bytes
    key: Key
    expires_at: float  # time.monotonic()
    bucket: TokenBucket
    tally: Tally
    next_sequence: int = 0
    throttled: int = 0
    follow_up: tuple[int, int] | None = None
    train_octets: int = 0  # sent so far beyond what came: see testroom.trains
    transfers: int = 0  # ndt7 transfers of its own
    other_transfers: int = 0  # those of others while it lived
    guest: bool = False  # of the page /test: a call and one record, and nothing else
    recorded: bool = False  # the guest's record has come

    def report(self) -> dict[str, object]:
        """What the sender cannot see: the fate of its packets on the way here."""
        return {
            "received": self.tally.received,
            "duplicates": self.tally.duplicates,
            "reordered": self.tally.reordered,
            "reflected": self.next_sequence,
            "throttled": self.throttled,
            "other_transfers": self.other_transfers,
            "seen": base64.b64encode(bytes(self.tally.seen).rstrip(b"\0")).decode(),
        }


class Sessions:
    """Issues, finds and ends sessions. Only the server's thread changes it; the reflector's thread reads it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.by_ssid: dict[int, StampSession] = {}
        self._by_identifier: dict[str, StampSession] = {}
        self.issued = self.refused = self.expired = 0
        self._transferring = False

    def issue(
        self, organisation: str, address: str, seconds: float, packets_per_second: float, *, guest: bool = False
    ) -> StampSession:
        """A new session for the asked time and rate, each within the room's limits. Raises RoomBusyError."""
        self.expire()
        self._check_room(organisation, address)
        seconds = min(seconds, self.limits.session_seconds)
        rate = min(packets_per_second, self.limits.packets_per_second)
        secret = secrets.token_bytes(32)
        session = StampSession(
            identifier=secrets.token_urlsafe(18),
            ssid=self._free_ssid(),
            organisation=organisation,
            address=address,
            secret=secret,
            key=Key(secret),
            expires_at=time.monotonic() + seconds + GRACE_S,
            bucket=TokenBucket(rate * 1.25, time.time_ns(), burst=max(rate, 50.0)),
            tally=Tally(most=int(rate * (seconds + GRACE_S) * 1.25) + 64),
            other_transfers=int(self._transferring),
            guest=guest,
        )
        self.by_ssid[session.ssid] = self._by_identifier[session.identifier] = session
        self.issued += 1
        return session

    def _check_room(self, organisation: str, address: str) -> None:
        live = self.by_ssid.values()
        full = (
            len(live) >= min(self.limits.sessions, MOST_SESSIONS)
            or sum(s.organisation == organisation for s in live) >= self.limits.sessions_per_organisation
            or sum(s.address == address for s in live) >= self.limits.sessions_per_address
        )
        if full:
            self.refused += 1
            soonest = min((s.expires_at for s in live), default=time.monotonic())
            raise RoomBusyError("room_busy", max(1.0, soonest - time.monotonic()))

    def _free_ssid(self) -> int:
        while True:
            ssid = secrets.randbelow(MOST_SESSIONS) + 1
            if ssid not in self.by_ssid:
                return ssid

    def find(self, identifier: str) -> StampSession | None:
        """The live session of that identifier."""
        self.expire()
        return self._by_identifier.get(identifier)

    def transfer_began(self, owner: StampSession | None) -> None:
        """An ndt7 transfer, of which there is one at a time, disturbs every session but its own."""
        self._transferring = True
        for session in self.by_ssid.values():
            session.other_transfers += session is not owner

    def transfer_ended(self) -> None:
        """Sessions that come now are not disturbed by it."""
        self._transferring = False

    def end(self, session: StampSession) -> None:
        """Forget the session and its key."""
        self.by_ssid.pop(session.ssid, None)
        self._by_identifier.pop(session.identifier, None)

    def expire(self) -> None:
        """End the sessions whose time is over."""
        now = time.monotonic()
        for session in [s for s in self.by_ssid.values() if s.expires_at <= now]:
            self.end(session)
            self.expired += 1

    def __len__(self) -> int:
        return len(self.by_ssid)
