"""Requests made up from the collector's own OpenAPI document, sent to a real room by schemathesis."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from testroom.fleet import openapi
from testroom.limits import Limits
from tests.testroom.fleet.make import collecting
from tests.testroom.https import TOKEN

NOW = time.time()
PLENTY = Limits(requests_per_minute=1e6, self_tests_per_minute=1e6)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A room in a thread of its own: schemathesis does not know asyncio. Its URL."""
    ready, stop = threading.Event(), asyncio.Event()
    found: dict[str, Any] = {}

    async def serve(folder: Path) -> None:
        async with collecting(folder, limits=PLENTY) as (room, _, _):
            found.update(url=room.url.partition("#")[0], loop=asyncio.get_running_loop(), room=room)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve(tmp_path_factory.mktemp("fleet"))))
    thread.start()
    assert ready.wait(20)
    yield found["url"]
    found["loop"].call_soon_threadsafe(stop.set)
    thread.join(20)
    assert not thread.is_alive()


def of_now() -> dict[str, Any]:
    """The document, for self-tests begun in the last day: no schema can say that."""
    document = copy.deepcopy(openapi.document())
    properties = document["components"]["schemas"]["SelfTest"]["properties"]
    properties["started_at"] |= {"minimum": NOW - 86400, "maximum": NOW}
    properties["duration_s"] |= {"maximum": 60}
    return document


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "operation",
    [("/v1/self-tests", "POST"), ("/v1/self-tests/{run_id}", "GET"), ("/v1/machines", "GET"), ("/v1/machines", "PUT")],
    ids=str,
)
def test_no_request_is_an_error_of_the_rooms(room: str, operation: tuple[str, str]) -> None:
    import schemathesis
    from schemathesis import checks

    schema = schemathesis.openapi.from_dict(of_now())
    conformant = [
        checks.not_a_server_error,
        schemathesis.checks.CHECKS.get_one("status_code_conformance"),
        schemathesis.checks.CHECKS.get_one("content_type_conformance"),
        schemathesis.checks.CHECKS.get_one("response_schema_conformance"),
    ]
    seen: set[int] = set()

    @settings(
        max_examples=30, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=schema[operation[0]][operation[1]].as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(base_url=room, verify=False, headers={"Authorization": f"Bearer {TOKEN}"})
        seen.add(answer.status_code)
        case.validate_response(answer, checks=conformant)

    ask()
    assert max(seen) < 500
    assert operation[1] != "POST" or 201 in seen  # not everything fails at the first hurdle
