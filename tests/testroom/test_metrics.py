import ipaddress

from prometheus_client.parser import text_string_to_metric_families

from testroom.limits import Limits
from tests.testroom.client import Client
from tests.testroom.https import TOKEN, serving, visitor, wanted


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
