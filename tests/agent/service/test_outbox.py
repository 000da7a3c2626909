"""Where reports go by the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.options import UsageError
from agent.service import outbox
from agent.settings import CollectorSection, PushSection, RoomSection, Settings
from reports.identity import MACHINE_HEADER
from reports.remote_write import decode
from tests.reports.store.rows import A, run

URL = "https://room.example:8443"
PRINT = "ab" * 32
ROOM = RoomSection(f"{URL}#sha256={PRINT}", "the room's token")


def ways(**sections: object) -> list[outbox.Way]:
    return outbox.ways(Settings(**sections), A)  # type: ignore[arg-type]


def test_nothing_is_sent_unless_the_settings_say_so():
    assert ways() == []
    assert ways(room=ROOM) == []
    assert ways(room=ROOM, push=PushSection(pushgateway="http://gateway:9091")) == []  # it has no part in the spool


@pytest.mark.parametrize(
    ("collector", "token", "fingerprint"),
    [
        (CollectorSection("room"), "the room's token", PRINT),
        (CollectorSection("room", "another"), "another", PRINT),
        (CollectorSection(URL, "another"), "another", None),
        (CollectorSection(URL), "the room's token", None),
    ],
)
def test_the_collector(collector: CollectorSection, token: str, fingerprint: str | None):
    (way,) = ways(room=ROOM, collector=collector)
    assert way.destination.url == f"{URL}/v1/self-tests"
    assert way.destination.headers["Authorization"] == f"Bearer {token}"
    assert way.destination.headers[MACHINE_HEADER] == A
    assert way.fingerprint == (bytes.fromhex(fingerprint) if fingerprint else None)
    assert json.loads(way.body(run("r1", 1.8e9)))["run_id"] == "r1"
    assert token not in repr(way)


def test_remote_write_carries_the_machine_and_labels_of_its_own():
    push = PushSection("https://mimir.example/api/v1/push", "t", "organisation=habo, unit = hemtjanst,job=other")
    (way,) = ways(push=push)
    series = decode(way.body(run("r1", 1.8e9)))
    labels = dict(series[0].labels)
    assert labels.items() >= {"organisation": "habo", "unit": "hemtjanst", "job": "other", "instance": A}.items()


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"collector": CollectorSection("room")}, "collector.url"),
        ({"collector": CollectorSection(URL)}, "wants a token"),
        ({"collector": CollectorSection("room.example", "t")}, "collector.url"),
        ({"collector": CollectorSection("stamp://room.example", "t")}, "keeps no self-tests"),
        ({"room": RoomSection("embedded", "t"), "collector": CollectorSection("room")}, "collector.url"),
        ({"push": PushSection("ftp://x")}, "push.remote_write"),
        ({"push": PushSection("http://mimir.example/", "t")}, "over https only"),
        ({"push": PushSection("https://x/", labels="organisation")}, "push.labels looks like"),
        ({"push": PushSection("https://x/", labels="1a=b")}, "push.labels looks like"),
        ({"push": PushSection("https://x/", labels="__name__=b")}, "push.labels looks like"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(sections: dict[str, object], says: str):
    with pytest.raises(UsageError) as error:
        ways(**sections)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_self_test_is_put_once_for_each(tmp_path: Path):
    settings = Settings(room=ROOM, collector=CollectorSection("room"), push=PushSection("https://x/"))
    spool = outbox.open_spool(settings, tmp_path)
    for _ in range(2):
        outbox.put(spool, outbox.ways(settings, A), run("r1", 1.8e9))
    assert (spool.counts("collector").waiting, spool.counts("remote_write").waiting) == (1, 1)
    spool.close()
