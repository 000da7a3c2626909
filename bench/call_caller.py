"""One caller of the benchmark: ICE, DTLS and SRTP for real, media that was encoded before; counts what comes back."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from typing import Any

import aiohttp
from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.sdp import SessionDescription

from bench.call_media import PICTURES_PER_S, SOUNDS_PER_S, Media

SOUND, PICTURE = 96, 97
_OFFER = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=rtpmap:96 opus/48000/2
{common}
m=video 9 UDP/TLS/RTP/SAVPF 97
c=IN IP4 0.0.0.0
a=mid:1
a=rtpmap:97 VP8/90000
a=rtcp-fb:97 nack
{common}
"""
_COMMON = """a=sendrecv
a=rtcp-mux
a=ice-ufrag:bench
a=ice-pwd:benchbenchbenchbenchbench
a=fingerprint:sha-256 {print}
a=setup:actpass"""


class Caller:
    """One call. `sent` and `back` count sound packets and whole pictures."""

    role, state = "controlling", "completed"
    certificate = RTCCertificate.generateCertificate()

    def __init__(self, media: Media) -> None:
        self.media = media
        self.sent = {SOUND: 0, PICTURE: 0}
        self.back = {SOUND: 0, PICTURE: 0}
        self.packets_sent = self.packets_back = 0
        self.trips: list[float] = []
        self.location = ""
        self._waiting: dict[int, tuple[int, float]] = {}  # a picture's timestamp: packets still out, when it left
        self._datagrams: asyncio.Queue[bytes] = asyncio.Queue()
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._dtls: Any = RTCDtlsTransport(self, [self.certificate])  # type: ignore[arg-type]
        self._dtls._set_role("client")
        self._number = {SOUND: random.getrandbits(15), PICTURE: random.getrandbits(15)}
        self._checked = asyncio.Event()

    async def open(self, http: aiohttp.ClientSession, session: str) -> int:
        """Call the room: the status of its answer; connected if 201."""
        prints = next(f.value for f in self.certificate.getFingerprints() if f.algorithm == "sha-256")
        offer = _OFFER.format(common=_COMMON.format(print=prints)).replace("\n", "\r\n")
        headers = {"Authorization": f"Bearer {session}", "Content-Type": "application/sdp"}
        async with http.post("/v1/call", data=offer, headers=headers) as response:
            if response.status != 201:
                return response.status
            self.location = response.headers["Location"]
            answer = SessionDescription.parse(await response.text()).media[0]
        self._sock.connect((answer.ice_candidates[0].ip, answer.ice_candidates[0].port))
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)
        await self._check(answer.ice.usernameFragment, answer.ice.password)
        async with asyncio.timeout(10):
            value = next(f.value for f in answer.dtls.fingerprints if f.algorithm == "sha-256")
            await self._dtls.start(RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint("sha-256", value)]))
        assert self._dtls.state == "connected"
        return 201

    async def _check(self, ufrag: str, password: str) -> None:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes = {"USERNAME": f"{ufrag}:bench", "PRIORITY": 1, "ICE-CONTROLLING": 1, "USE-CANDIDATE": None}
        request.add_message_integrity(password.encode())
        for _ in range(20):
            self._sock.send(bytes(request))
            try:
                async with asyncio.timeout(0.2):
                    await self._checked.wait()
                    return
            except TimeoutError:
                continue

    async def _recv(self) -> bytes:
        return await self._datagrams.get()

    async def _send(self, datagram: bytes) -> None:
        self._sock.send(datagram)

    async def talk(self, until: float) -> None:
        """Send sound and pictures, evenly, until that moment (time.monotonic())."""
        begun = time.monotonic() + random.random() / PICTURES_PER_S
        due = {SOUND: 0, PICTURE: 0}
        while True:
            moments = {SOUND: begun + due[SOUND] / SOUNDS_PER_S, PICTURE: begun + due[PICTURE] / PICTURES_PER_S}
            kind = min(moments, key=lambda k: moments[k])
            if moments[kind] > until:
                return
            if (wait := moments[kind] - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._put(kind, due[kind])
            due[kind] += 1

    def _put(self, kind: int, number: int) -> None:
        if kind == SOUND:
            payloads, stamp = [self.media.sounds[number % len(self.media.sounds)]], number * 960
        else:
            payloads, stamp = self.media.pictures[number % len(self.media.pictures)], number * 3000
            self._waiting[stamp] = len(payloads), time.monotonic()
        for place, payload in enumerate(payloads, 1):
            self._number[kind] = (self._number[kind] + 1) & 0xFFFF
            marker = 0x80 if kind == PICTURE and place == len(payloads) else 0
            head = struct.pack("!BBHII", 0x80, kind | marker, self._number[kind], stamp, 1000 + kind)
            self._sock.send(self._dtls._tx_srtp.protect(head + payload))
            self.packets_sent += 1
        self.sent[kind] += 1

    def _readable(self) -> None:
        for _ in range(16):
            try:
                datagram = self._sock.recv(2048)
            except OSError:
                return
            if datagram[0] < 4:
                self._checked.set()
            elif datagram[0] < 64:
                self._datagrams.put_nowait(datagram)
            elif not 192 <= datagram[1] <= 223:
                self._came(self._dtls._rx_srtp.unprotect(datagram))

    def _came(self, packet: bytes) -> None:
        self.packets_back += 1
        if packet[1] & 0x7F == SOUND:
            self.back[SOUND] += 1
            return
        stamp = int.from_bytes(packet[4:8], "big")
        left, sent = self._waiting[stamp]
        if left > 1:
            self._waiting[stamp] = left - 1, sent
            return
        del self._waiting[stamp]
        self.back[PICTURE] += 1
        self.trips.append(time.monotonic() - sent)

    async def close(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        """Hang up; the room's own account of the call."""
        async with http.delete(self.location) as response:
            account: dict[str, Any] = await response.json()
        asyncio.get_running_loop().remove_reader(self._sock.fileno())
        if self._dtls._task is not None:
            self._dtls._task.cancel()
        self._sock.close()
        return account
