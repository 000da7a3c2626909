"""The synthetic picture and sound: their stamps survive the codec, and the tracks keep time."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import aiortc.codecs
import numpy as np
import pytest
from aiortc import RTCPeerConnection
from aiortc.codecs import vpx
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from probes.call import encoder as call_encoder
from probes.call.counting import Frame, Seen
from probes.call.encoder import LadderEncoder
from probes.call.picture import HEIGHT, TIME_STEP_NS, WIDTH, Scene, read_stamp, write_stamp
from probes.call.sound import PACKET_SAMPLES, RATE, phrase
from probes.call.tracks import Pictures, Voice, listen, returned, watch


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("number", [0, 1, 0xDEADBEEF, 2**32 - 1])
def test_a_stamp_is_read_back(number: int) -> None:
    luminance = np.full((HEIGHT, WIDTH), 99, dtype=np.uint8)
    at = time.monotonic_ns()
    write_stamp(luminance, number, at)
    assert read_stamp(luminance) == (number, at // TIME_STEP_NS * TIME_STEP_NS)


def test_a_damaged_stamp_is_none() -> None:
    luminance = np.full((HEIGHT, WIDTH), 99, dtype=np.uint8)
    assert read_stamp(luminance) is None
    write_stamp(luminance, 5, 10**15)
    luminance[:16, 16 * 31 : 16 * 32] = 255 - luminance[:16, 16 * 31 : 16 * 32]
    assert read_stamp(luminance) is None
    assert read_stamp(luminance[:40]) is None
    assert read_stamp(luminance[:, :320]) is None


def test_stamps_survive_the_codec_at_its_lowest_rate(scene: Scene) -> None:
    encoder, decoder = vpx.Vp8Encoder(), vpx.Vp8Decoder()
    encoder.target_bitrate = vpx.MIN_BITRATE
    octets, came = 0, []
    for number in range(60):
        picture = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, content in zip(
            picture.planes, (scene.draw(number, number << 30), scene.chroma, scene.chroma), strict=True
        ):
            plane.update(content.tobytes())
        picture.pts, picture.time_base = number * 3000, Fraction(1, 90_000)
        payloads, timestamp = encoder.encode(picture)
        data = b"".join(vpx.vp8_depayload(p) for p in payloads)
        octets += len(data)
        came += [returned(f, 1.0) for f in decoder.decode(JitterFrame(data, timestamp))]  # type: ignore[arg-type]
    assert came == [Frame(1.0, (WIDTH, HEIGHT), n, (n << 30) / 1e9) for n in range(60)]
    assert 200_000 < octets * 8 / 2 < 300_000  # it moves enough to fill what it may, and keeps to it


def test_the_encoder_climbs_a_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    for where, name in ((vpx, "MAX_BITRATE"), (vpx, "DEFAULT_BITRATE"), (aiortc.codecs, "Vp8Encoder")):
        monkeypatch.setattr(where, name, getattr(where, name))
    call_encoder.install(500_000)
    encoder = aiortc.codecs.get_encoder(next(c for c in aiortc.codecs.CODECS["video"] if c.name == "VP8"))
    assert isinstance(encoder, LadderEncoder)
    taken = []
    for estimate in (499_999, 500_000, 560_000, 2_000_000, 1):
        encoder.target_bitrate = estimate
        taken.append(encoder.target_bitrate)
    assert taken == [250_000, 500_000, 500_000, 500_000, 250_000]


def test_the_sound_is_shaped_as_speech_is() -> None:
    samples = phrase().astype(float) / 32768
    assert len(samples) % PACKET_SAMPLES == 0
    loud = samples.reshape(-1, PACKET_SAMPLES).std(axis=1)
    assert -30 < 20 * np.log10(samples.std()) < -15
    assert 0.15 < (loud < 0.001).mean() < 0.5  # between syllables, and after the phrase
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert spectrum[(hertz > 80) & (hertz < 4500)].sum() > 0.99 * spectrum.sum()


async def test_pictures_that_are_due_while_the_encoder_is_busy_are_left_out(scene: Scene) -> None:
    seen = Seen()
    track = Pictures(scene, seen)
    first = await track.recv()
    assert (first.width, first.height, first.pts) == (WIDTH, HEIGHT, 0)
    await asyncio.sleep(0.11)  # the encoder takes its time: 1 and 2 are over
    late = await track.recv()
    assert (late.pts or 0) // 3000 == 1 + len(seen.skipped)
    assert 1 <= len(seen.skipped) <= 4
    assert len(seen.pictures) == 2
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


async def test_sound_keeps_time_and_leaves_nothing_out() -> None:
    track = Voice(phrase())
    begun = time.monotonic()
    first = [await track.recv() for _ in range(6)]
    await asyncio.sleep(0.1)
    stamps = [f.pts or 0 for f in (*first, *[await track.recv() for _ in range(6)])]
    assert stamps == [PACKET_SAMPLES * i for i in range(12)]
    assert 0.21 < time.monotonic() - begun < 0.5


async def test_a_picture_is_taken_to_be_there_when_it_was_whole(scene: Scene) -> None:
    class Once(MediaStreamTrack):
        kind = "video"

        async def recv(self) -> VideoFrame:
            if self.readyState != "live":
                raise MediaStreamError
            self.stop()
            return await Pictures(scene, Seen()).recv()

    seen, now = Seen(), time.monotonic()
    seen.releases.arrived(7000, now - 1)
    seen.releases.arrived(10_000, now - 0.5)  # only then does the stack give the first one away
    await watch(Once(), seen)
    assert [f.at - now for f in seen.frames] == [pytest.approx(-0.5, abs=0.2)]


async def test_the_stack_hands_packets_to_us_first() -> None:
    """What `listen` takes the place of is aiortc's own and may change."""
    peer, seen = RTCPeerConnection(), Seen()
    receiver = peer.addTransceiver("audio").receiver
    heard: list[object] = []

    async def inner(packet: object, arrival_time_ms: int) -> None:
        heard.append((packet, arrival_time_ms))

    assert callable(receiver._handle_rtp_packet)
    receiver._handle_rtp_packet = inner  # type: ignore[method-assign]
    listen(receiver, seen, sound=True)
    packet = type("Packet", (), {"payload": b"x", "timestamp": 960})()
    await receiver._handle_rtp_packet(packet, arrival_time_ms=5)
    assert heard == [(packet, 5)]
    assert [stamp for _, stamp in seen.sound] == [960]
    await peer.close()
