"""One way of connecting the call: its own peer connection, its own deadlines, and when each step was done.

Only the child process imports this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import SessionDescription

from probes.call.counting import Seen
from probes.call.loop import LinkLoop
from probes.call.picture import Scene
from probes.call.tracks import Pictures, Voice, listen, watch
from probes.call.wire import DTLS_S, GATHER_S, ICE_S, Way
from probes.ice_servers import IceServer

CODECS = {"audio": "audio/opus", "video": "video/vp8"}
IPV6_RELAY = "relay.ipv6.invalid"  # aiortc reads no IPv6 address in a TURN URI
Exchange = Callable[[Way, str], Awaitable[str]]
SPANS = {
    "call_gathering_seconds": ("began", "gathered"),
    "call_ice_seconds": ("answered", "found"),
    "call_dtls_seconds": ("found", "connected"),
    "call_setup_seconds": ("gathered", "connected"),
}


class LostError(Exception):
    """This way did not connect: a code of the vocabulary, words without addresses, and the step."""

    def __init__(self, code: str, detail: str, step: str) -> None:
        super().__init__(code)
        self.code, self.detail, self.step = code, detail, step


class Attempt:
    """`way`: how. `times`: when it got where (time.monotonic()): began, gathered, answered, found, connected."""

    def __init__(self, way: Way, server: IceServer | None, scene: Scene, phrase: Any) -> None:
        self.way, self.seen = way, Seen()
        self.times: dict[str, float] = {}
        self.answer = ""
        self._changed = asyncio.Event()
        self._watching: list[asyncio.Task[None]] = []
        self.peer = RTCPeerConnection(_configuration(server))
        self._voice = Voice(phrase)
        for track in (self._voice, Pictures(scene, self.seen)):
            self.peer.addTrack(track)
        for transceiver in self.peer.getTransceivers():
            kind = transceiver.kind
            known = RTCRtpSender.getCapabilities(kind).codecs
            transceiver.setCodecPreferences([c for c in known if c.mimeType.lower() == CODECS[kind]])
            listen(transceiver.receiver, self.seen, sound=kind == "audio")
        self.peer.on("track", self._follow)
        self.peer.on("iceconnectionstatechange", self._note)
        self.peer.on("connectionstatechange", self._note)

    def _follow(self, track: Any) -> None:
        self._watching.append(asyncio.create_task(watch(track, self.seen)))

    def _note(self) -> None:
        now = time.monotonic()
        if self.peer.iceConnectionState in ("completed", "connected"):
            self.times.setdefault("found", now)
        if self.peer.connectionState == "connected":
            self.times.setdefault("found", now)
            self.times.setdefault("connected", now)
        self._changed.set()

    async def connect(self, exchange: Exchange, stepped: Callable[[str], None]) -> None:
        """From gathering to keys agreed. `exchange` gives the room's answer to an offer. LostError says why not."""
        self.times["began"] = time.monotonic()
        offer = await self._gather()
        self.times["gathered"] = time.monotonic()
        self.answer = await exchange(self.way, offer)
        self.times["answered"] = time.monotonic()
        stepped("ice")
        await self._take(self.answer)
        await self._reach("found", self.times["answered"] + ICE_S, "ice")
        stepped("dtls")
        await self._reach("connected", self.times["found"] + DTLS_S, "dtls")

    async def _gather(self) -> str:
        try:
            async with asyncio.timeout(GATHER_S):
                await self.peer.setLocalDescription(await self.peer.createOffer())
        except TimeoutError:
            raise LostError("ice_failed", "the relay does not answer", "ice") from None
        offer = self.peer.localDescription.sdp
        if "a=candidate:" in offer:
            return offer
        loop = asyncio.get_running_loop()
        if isinstance(loop, LinkLoop) and loop.refused is not None:
            raise LostError("link_not_bound", "", "ice")
        raise LostError(
            "ice_failed", "no address to send from" if self.way == "direct" else "no place on the relay", "ice"
        )

    async def _take(self, answer: str) -> None:
        try:
            await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (ValueError, KeyError, IndexError, AttributeError, AssertionError, TypeError) as error:
            raise LostError("room_protocol", "not an answer to our offer", "signalling") from error
        except (InvalidAccessError, InvalidStateError, OperationError) as error:
            raise LostError("room_protocol", "not an answer to our offer", "signalling") from error

    async def _reach(self, mark: str, deadline: float, step: str) -> None:
        states = ("failed", "closed")
        while mark not in self.times:
            broken = self.peer.iceConnectionState in states or self.peer.connectionState in states
            try:
                if broken:
                    raise TimeoutError
                self._changed.clear()
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                why = "nothing answers" if not broken else "refused"
                raise LostError(f"{step}_failed", why, step) from None

    def took(self) -> dict[str, float]:
        """The times of setting up, as far as it got."""
        return {n: self.times[b] - self.times[a] for n, (a, b) in SPANS.items() if {a, b} <= self.times.keys()}

    @property
    def over(self) -> bool:
        """Has the other end hung up, or the connection broken?"""
        return self.peer.connectionState in ("failed", "closed")

    def codecs(self) -> dict[str, str]:
        """Of each kind, the one that was agreed on: "opus", "VP8"."""
        with contextlib.suppress(ValueError, KeyError, IndexError):
            media = SessionDescription.parse(self.answer).media
            return {m.kind: m.rtp.codecs[0].name for m in media if m.port and m.rtp.codecs}
        return {}

    def pair(self) -> str:
        """The kinds of the two candidates, ours first: "host/host"."""
        nominated = self.peer.getSenders()[0].transport.transport._connection._nominated
        for pair in nominated.values():
            return f"{pair.local_candidate.type}/{pair.remote_candidate.type}"
        return ""

    def hush(self) -> None:
        """Nothing more is sent, nor any packet again. `_enabled`, `_retransmit` are aiortc's own: a test holds them."""

        async def nothing(sequence_number: int) -> None:
            pass

        for sender in self.peer.getSenders():
            sender._enabled = False  # for the picture that it waits for now
            sender._retransmit = nothing  # type: ignore[method-assign]
            sender.replaceTrack(None)

    def speak(self) -> None:
        """After `hush`: sound again, and no picture."""
        for sender in self.peer.getSenders():
            if sender.kind == "audio":
                sender._enabled = True
                sender.replaceTrack(self._voice)

    async def carried(self) -> tuple[int, int, int]:
        """Payload octets of UDP sent, and received, and how many datagrams that were."""
        report = await self.peer.getSenders()[0].getStats()
        for stats in report.values():
            if stats.type == "transport":
                return stats.bytesSent, stats.bytesReceived, stats.packetsSent + stats.packetsReceived
        return 0, 0, 0

    async def close(self) -> None:
        """Hang up; a relay's place is given back."""
        await self.peer.close()
        for task in self._watching:
            task.cancel()


def _configuration(server: IceServer | None) -> RTCConfiguration:
    """Always with a list: None would mean a public server."""
    if server is None:
        return RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    host = server.host
    loop = asyncio.get_running_loop()
    if ":" in host and isinstance(loop, LinkLoop):
        loop.aliases[IPV6_RELAY], host = host, IPV6_RELAY
    uri = (
        f"turns:{host}:{server.port}"
        if server.transport == "tls"
        else f"turn:{host}:{server.port}?transport={server.transport}"
    )
    relay = RTCIceServer(urls=[uri], username=server.username, credential=server.credential)
    return RTCConfiguration([relay], RTCIceTransportPolicy.RELAY, RTCBundlePolicy.MAX_BUNDLE)
