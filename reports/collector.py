"""The collector: self-tests of an organisation's machines, checked to the last word and put into the store.

What is refused is refused with a reason and counted. Many that come at once are written in one transaction.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from reports import newer
from reports.identity import PSEUDONYM, RUN_ID
from reports.reading import NewerRecordError
from reports.record import SelfTest
from reports.serial import RecordError, from_json
from reports.store.incoming import record_of
from reports.store.shapes import LONGEST_NAME, Outcome, Record, StoreError

REFUSALS: dict[str, str] = {
    "self_test_too_large": "more octets than a self-test has",
    "self_test_malformed": "not a self-test",
    "self_test_newer": "of an agent that is newer than this room: update the room",
    "self_test_too_old": "begun longer ago than is kept",
    "self_test_in_the_future": "begun later than now: the machine's clock is wrong",
    "self_test_slow": "the body took too long to come",
    "machine_malformed": "the machine's pseudonym is not 32 hexadecimal digits",
    "too_many_self_tests": "this organisation sends too many a minute",
    "collector_busy": "too many wait to be written",
    "store_unavailable": "the database does not answer",
}
_WORD = re.compile(r"[a-z0-9_.]{1,64}")
_VERSION = re.compile(r"[ -~]{0,40}")


class Takes(Protocol):
    """What the collector needs of a store."""

    def take(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """Keep each run once. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class CollectorLimits:
    """What is taken."""

    most_bytes: int = 256 * 1024
    oldest_s: float = 30 * 86400.0
    ahead_s: float = 600.0  # what a machine's clock may be wrong by
    waiting: int = 2000  # self-tests that wait to be written
    batch: int = 256  # of one transaction


@dataclass(frozen=True, slots=True)
class Receipt:
    """It is kept, and will be after a power cut."""

    run_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Refused:
    """`code`: of REFUSALS; `where`: the place in the document, in one line."""

    code: str
    where: str = ""


class MalformedError(ValueError):
    """The body is no self-test; the message says where."""


@dataclass(slots=True)
class _Waiting:
    record: Record
    done: asyncio.Future[Outcome]


class Collector:
    """One for an event loop. `allow` says whether an organisation may send one more just now."""

    def __init__(
        self, store: Takes, limits: CollectorLimits | None = None, allow: Callable[[str], bool] | None = None
    ) -> None:
        self.limits = limits or CollectorLimits()
        self.refused: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()  # of what was taken, by newer.LEFT_OUT
        self._store = store
        self._allow = allow or (lambda _: True)
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._reading = ThreadPoolExecutor(1, "self-tests-read")
        self._writing = ThreadPoolExecutor(1, "self-tests-write")

    async def take(self, organisation: str, raw: bytes, machine: str, now: float) -> Receipt | Refused:
        """Check it and keep it. `machine`: 32 hexadecimal digits, or "" when nobody said. `now`: UNIX time."""
        answer = await self._take(organisation, raw, machine, now)
        if isinstance(answer, Refused):
            return self.refuse(answer.code, answer.where)
        self.taken[answer.outcome] += 1
        return answer

    async def keep(self, organisation: str, test: SelfTest, now: float) -> Receipt | Refused:
        """Keep a browser's, which the room itself has read and judged."""
        if len(self._waiting) >= self.limits.waiting:
            return self.refuse("collector_busy")
        answer = await self._keep(record_of(organisation[:LONGEST_NAME], "", test, now, "browser"))
        if isinstance(answer, Refused):
            return self.refuse(answer.code)
        self.taken[answer.outcome] += 1
        return answer

    def refuse(self, code: str, where: str = "") -> Refused:
        """Count a refusal."""
        self.refused[code] += 1
        return Refused(code, where)

    async def close(self) -> None:
        """Write what waits, then end."""
        if self._writer is not None:
            await self._writer
        self._reading.shutdown()
        self._writing.shutdown()

    async def _take(self, organisation: str, raw: bytes, machine: str, now: float) -> Receipt | Refused:
        if not self._allow(organisation):
            return Refused("too_many_self_tests")
        if len(raw) > self.limits.most_bytes:
            return Refused("self_test_too_large")
        if machine and not PSEUDONYM.fullmatch(machine):
            return Refused("machine_malformed")
        if len(self._waiting) >= self.limits.waiting:
            return Refused("collector_busy")
        loop = asyncio.get_running_loop()
        record = await loop.run_in_executor(self._reading, self._read, organisation, raw, machine, now)
        return record if isinstance(record, Refused) else await self._keep(record)

    def _read(self, organisation: str, raw: bytes, machine: str, now: float) -> Record | Refused:
        left_out: Counter[str] = Counter()
        try:
            test = read_self_test(raw, left_out)
        except NewerRecordError as error:
            return Refused("self_test_newer", str(error))
        except MalformedError as error:
            return Refused("self_test_malformed", str(error))
        if test.started_at < now - self.limits.oldest_s:
            return Refused("self_test_too_old")
        if max(test.started_at, test.started_at + test.duration_s) > now + self.limits.ahead_s:
            return Refused("self_test_in_the_future")
        self.left_out += left_out
        return record_of(organisation[:LONGEST_NAME], machine, test, now)

    async def _keep(self, record: Record) -> Receipt | Refused:
        waiting = _Waiting(record, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        try:
            return Receipt(record.run_id, await waiting.done)
        except StoreError:
            return Refused("store_unavailable")

    async def _write(self) -> None:
        """One transaction after another until nobody waits; what comes meanwhile shares the next."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[: self.limits.batch], self._waiting[self.limits.batch :]
            outcomes = await loop.run_in_executor(self._writing, self._put, [w.record for w in batch])
            for waiting, outcome in zip(batch, outcomes, strict=True):
                if waiting.done.done():  # the caller has gone away; it is kept all the same
                    continue
                if isinstance(outcome, StoreError):
                    waiting.done.set_exception(outcome)
                    waiting.done.exception()  # the caller may have gone: nobody else would fetch it
                else:
                    waiting.done.set_result(outcome)

    def _put(self, records: Sequence[Record]) -> Sequence[Outcome | StoreError]:
        """All in one; if that fails, each by itself, so that none fails for another's sake."""
        try:
            return self._store.take(records)
        except StoreError as error:
            if len(records) == 1:
                return [error]
        alone: list[Outcome | StoreError] = []
        for i, record in enumerate(records):
            alone += self._put([record])
            if i == 1 and all(isinstance(a, StoreError) for a in alone):  # the database is away: do not ask 256 times
                return [*alone, *[StoreError("not tried")] * (len(records) - len(alone))]
        return alone


def read_self_test(raw: bytes, left_out: Counter[str] | None = None) -> SelfTest:
    """The self-test in a body. `left_out` counts what is too new for us. Raises MalformedError, NewerRecordError."""
    try:
        document = json.loads(raw)
        left = newer.leave_out(document)
        test = from_json(document)
    except NewerRecordError:
        raise
    except RecordError as error:
        raise MalformedError(_printable(error)) from None
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number without end, a nesting without end
        raise MalformedError("not JSON") from None
    _check_words(test)
    if left_out is not None:
        left_out.update(left)
    return test


def _printable(error: Exception) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in str(error)[:200])


def _check_words(test: SelfTest) -> None:
    """What becomes a column has a shape; names, codes and numbers have been checked by from_json."""
    _hold(RUN_ID.fullmatch(test.run_id), "run_id")
    _hold(_VERSION.fullmatch(test.agent.version), "agent.version")
    _hold(test.duration_s >= 0, "duration_s")
    _hold(not test.verdict.action or _WORD.fullmatch(test.verdict.action), "verdict.action")
    for i, finding in enumerate(test.verdict.findings):
        _hold(_WORD.fullmatch(finding.rule), f"verdict.findings[{i}].rule")


def _hold(fits: Any, where: str) -> None:
    if not fits:
        raise MalformedError(f"selftest.{where} is not as it should be")
