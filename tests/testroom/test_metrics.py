import asyncio
import ipaddress

from prometheus_client.parser import text_string_to_metric_families

from testroom.limits import Limits
from tests.testroom.client import Client
from tests.testroom.https import TOKEN, serving, visitor, wanted
from tests.testroom.wire import ask, free, request, transfer


def samples(text: str) -> dict[str, float]:
    """Every sample by its name and labels. ValueError: this is no exposition."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            name = sample.name + "".join(f"[{value}]" for value in sample.labels.values())
            assert name not in found, "the same sample twice"
            found[name] = sample.value
    return found


async def test_the_rooms_metrics_add_up() -> None:
    from testroom.tokens import Tokens

    async with (
        serving(tokens=Tokens({"habo": TOKEN}), limits=Limits(sessions=2)) as (room, _),
        visitor(room, TOKEN) as http,
    ):
        granted = []
        for _ in range(3):
            async with http.post("/v1/sessions", json=wanted()) as answer:
                granted.append(await answer.json())
        client = Client("127.0.0.1", room.stamp_port, room.sessions.by_ssid[granted[0]["ssid"]])
        replayed = client.packet()
        for packet in (b"", b"x" * 50, b"x" * 300, replayed, replayed, client.packet(3000), b"y" * 50):
            client.sock.send(packet)
        client.receive()
        for _ in range(4):
            client.ask()
        async with http.delete(f"/v1/sessions/{granted[1]['id']}") as answer:
            assert answer.status == 200
        async with http.get("/metrics") as answer:
            assert answer.content_type == "text/plain"
            text = await answer.text()
    found = samples(text)
    refused = {name: value for name, value in found.items() if name.startswith("motesklar_room_stamp_refused")}
    assert refused == {
        "motesklar_room_stamp_refused_total[too_short]": 2,
        "motesklar_room_stamp_refused_total[stranger]": 3,
        "motesklar_room_stamp_refused_total[seen_before]": 1,
    }
    room_ = {name.removeprefix("motesklar_room_"): v for name, v in found.items() if name not in refused}
    assert room_["stamp_received_total"] == room_["stamp_reflected_total"] + sum(refused.values()) == 11
    assert room_["stamp_send_failed_total"] == 0
    assert (room_["sessions"], room_["sessions_limit"]) == (1, 2)
    assert (room_["sessions_issued_total"], room_["sessions_refused_total"], room_["sessions_expired_total"]) == (
        2,
        1,
        0,
    )


async def test_no_address_and_no_organisation_in_them() -> None:
    from testroom.tokens import Tokens

    async with serving(tokens=Tokens({"habo": TOKEN})) as (room, _), visitor(room, TOKEN) as http:
        async with http.post("/v1/sessions", json=wanted()) as answer:
            granted = await answer.json()
        async with http.get("/metrics") as answer:
            text = await answer.text()
    for secret in ("habo", TOKEN, granted["id"], str(ipaddress.ip_address("127.0.0.1")), granted["key"]):
        assert secret not in text


async def test_transfers_are_counted() -> None:
    async with serving(open_ndt7=True) as (room, http):
        async with transfer(room, "upload") as wire:
            sent = await wire.send_for(0.1)
            status, other = await ask(room, request("download", "?wait=0"))
            other.reset()
            waiting = asyncio.create_task(ask(room, request("download")))
            while not room.throughput.turns.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            async with http.get("/metrics") as answer:
                during = transfers_of(await answer.text())
            await wire.close()
        _, other = await waiting
        other.reset()
        await free(room)
        async with http.get("/metrics") as answer:
            after = transfers_of(await answer.text())
    assert status == 503
    assert during == {"_running": 1, "_waiting": 1, "_total[upload]": 1, "_refused_total[busy]": 1}
    assert after.pop("_bytes_total[download]") >= 0
    assert after == {
        "_running": 0, "_waiting": 0, "_total[upload]": 1, "_total[download]": 1, "_refused_total[busy]": 1,
        "_bytes_total[upload]": sent,
    }  # fmt: skip


def transfers_of(text: str) -> dict[str, float]:
    start = "motesklar_room_transfers"
    return {name.removeprefix(start): v for name, v in samples(text).items() if name.startswith(start)}
