"""Offers, good and bad. Whatever comes is answered or an OfferError, and nothing else."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testroom.calls import CallSettings
from testroom.calls import offer as call_offer
from tests.testroom.calling import ask, caller, session_of
from tests.testroom.https import serving
from tests.testroom.sdp import OFFER

OURS = call_offer.Ours("192.0.2.1", 5000, "room", "p" * 32, "CD", {"audio": 7, "video": 8}, "c")
AUDIO, VIDEO = OFFER.index("m=audio"), OFFER.index("m=video")
TWO_OF_A_KIND = OFFER + OFFER[VIDEO:].replace("a=mid:1", "a=mid:2").replace("a=group", "")


def answered(text: str) -> list[str]:
    return call_offer.write(call_offer.read(text), OURS).splitlines()


def media(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("m=")]


def test_a_browsers_offer() -> None:
    lines = answered(OFFER)
    assert media(lines) == ["m=audio 5000 UDP/TLS/RTP/SAVPF 111", "m=video 5000 UDP/TLS/RTP/SAVPF 96"]
    assert "a=group:BUNDLE 0 1" in lines
    assert "a=ice-lite" in lines
    assert lines.count("a=setup:passive") == 2
    assert [line for line in lines if "rtcp-fb" in line] == [
        "a=rtcp-fb:96 goog-remb",
        "a=rtcp-fb:96 ccm fir",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
    ], "no transport-cc: packets go back under the numbers that they came with"
    assert not [line for line in lines if "rtx" in line or "red" in line or "H264" in line]
    assert "a=ssrc:7 cname:c" in lines
    assert "a=ssrc:8 cname:c" in lines


@pytest.mark.parametrize(
    ("change", "heads"),
    [
        pytest.param(("VP8", "VP9"), ["111", "video 0"], id="no VP8: sound only"),
        pytest.param(("opus", "PCMU"), ["audio 0", "96"], id="no Opus: picture only"),
        pytest.param(("a=group:BUNDLE 0 1", "a=group:LS 0 1"), ["111", "video 0"], id="no bundle: the first only"),
        pytest.param(("a=group:BUNDLE 0 1", "a=group:BUNDLE 1"), ["111", "video 0"], id="not in the bundle"),
        pytest.param(("m=video", "m={x}"), ["111", "{x} 0"], id="of no known kind"),
        pytest.param(("m=video 9", "m=video 0"), ["111", "video 0"], id="turned off by the caller"),
    ],
)
def test_what_cannot_be_taken_is_turned_down(change: tuple[str, str], heads: list[str]) -> None:
    found = media(answered(OFFER.replace(*change)))
    assert all(head in line for head, line in zip(heads, found, strict=True)), found


def test_one_of_each_kind_is_enough() -> None:
    found = media(answered(TWO_OF_A_KIND.replace("BUNDLE 0 1", "BUNDLE 0 1 2")))
    assert [line.split()[1] for line in found] == ["5000", "5000", "0"]


@pytest.mark.parametrize(
    "text",
    [
        "", "v=0", "hello", "\0" * 100, OFFER[:AUDIO], OFFER * 40, OFFER.replace("a=ice-ufrag:F7gI", ""),
        OFFER.replace("a=ice-pwd:x9cml/YzichV2+XlhiMu8g", ""), OFFER.replace("AB:AB", "zz:zz"),
        OFFER.replace("fingerprint:sha-256", "fingerprint:md5"), OFFER.replace("actpass", "passive"),
        OFFER.replace("a=rtcp-mux", ""), OFFER.replace("sendrecv", "recvonly"), OFFER.replace("SAVPF", "AVP"),
        OFFER.replace("111", "1111111"), OFFER.replace("a=mid:", "a=mid:a b"), OFFER.replace("9 UDP", "x UDP"),
        OFFER.replace("F7gI", "\u0661\u0661\u0661\u0661"), OFFER.replace("=96", "=111").replace(":96", ":111"),
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 30,
    ],
    ids=range(20),
)  # fmt: skip
def test_what_is_no_offer(text: str) -> None:
    with pytest.raises(call_offer.OfferError):
        call_offer.read(text)


@pytest.mark.parametrize("line", ["m=application 9 UDP  ", "m=audio 9 UDP/TLS/RTP/SAVPF \t"])
def test_a_medium_without_formats(line: str) -> None:
    with pytest.raises(call_offer.OfferError):
        call_offer.read(f"{OFFER}{line}\r\n")


@pytest.mark.parametrize("end", ["\r\n", "\x0b\x0b"])
@pytest.mark.parametrize("lines", [("a=rtpmap:{} a/1", "a=rtcp-fb:* x"), ("a=ssrc:{} x:y",)], ids=["feedback", "ssrc"])
def test_an_offer_does_not_hold_up_the_calls(lines: tuple[str, ...], end: str) -> None:
    """The parser looks at each of those for each of the others; a process that is silent for 4 s is replaced."""
    of_each = (call_offer.MOST_OCTETS - len(OFFER)) // sum(len(line) + 4 for line in lines)
    text = OFFER + "".join(line.format(n % 128) + end for line in lines for n in range(of_each))
    assert 0.8 * call_offer.MOST_OCTETS < len(text) <= call_offer.MOST_OCTETS
    begun = time.monotonic()
    with pytest.raises(call_offer.OfferError):
        call_offer.read(text)
    assert time.monotonic() - begun < 0.3


LINES = OFFER.split("\r\n")


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The offer with lines left out, doubled, changed places or with other text in the middle of them."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["drop", "double", "swap", "text"]))
        if what == "drop":
            del lines[place]
        elif what == "double":
            lines.insert(place, lines[place])
        elif what == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
        else:
            cut = draw(st.integers(0, len(lines[place])))
            lines[place] = lines[place][:cut] + draw(st.text(max_size=12)) + lines[place][cut:]
        lines = lines or [""]
    return draw(st.sampled_from(["\r\n", "\n"])).join(lines)


@settings(max_examples=300, deadline=None)
@given(st.one_of(damaged(), st.text(max_size=400)))
def test_garbage_is_refused_or_answered_in_sdp(text: str) -> None:
    from aiortc.sdp import SessionDescription

    try:
        lines = call_offer.write(call_offer.read(text), OURS)
    except call_offer.OfferError:
        return
    assert any(m.port for m in SessionDescription.parse(lines).media)
    assert len(media(lines.splitlines())) == len([x for x in text.splitlines() if x.startswith("m=")])


BODIES = [b"", b"v=0", b"\xff\xfe", b"a" * 40_000, b"a" * 70_000, OFFER.encode("utf-16"), b"\0" * 30_000]


async def test_the_room_says_what_it_is_and_goes_on() -> None:
    async with serving(calls=CallSettings(), host="127.0.0.2") as (room, http):
        session = (await session_of(http))["id"]
        for body in BODIES:
            status, text, _ = await ask(http, body, session)
            assert (status, text) == (400, '{"code": "room_protocol"}'), body[:20]
        async with caller(room, session) as c:
            await c.call(video=False)
            await c.until(audio=3)
        assert room.calls.restarts == 0
        assert room.calls.refused == {"protocol": len(BODIES)}


async def test_another_kind_of_body_is_refused() -> None:
    async with serving(calls=CallSettings()) as (_, http):
        headers = {"Authorization": f"Bearer {(await session_of(http))['id']}"}
        async with http.post("/v1/call", json={"sdp": OFFER}, headers=headers) as response:
            assert (response.status, await response.json()) == (400, {"code": "room_protocol"})
