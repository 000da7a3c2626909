"""`check --report`: the self-test is handed in to the organisation's collector, now or when it can be reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from agent.settings import Settings, SettingsError, state_folder

if TYPE_CHECKING:
    from agent.service.outbox import Way
    from reports.record import SelfTest

SEND_S = 10.0

Report = Callable[["SelfTest"], None]


def reporter(settings: Settings, room: str | None, asked: bool | None) -> Report | None:
    """What hands a self-test in; None: it stays here.

    `asked`: --report or --no-report; None: when the settings name a collector. Raises UsageError and SettingsError.
    """
    if asked is False or not (asked or settings.collector.url):
        return None
    from agent.options import EMBEDDED, UsageError
    from agent.service import outbox, state

    url = settings.collector.url or room or settings.room.url
    if not url or url == EMBEDDED:
        raise UsageError("--report: nobody is named to report to; set collector.url in the settings")
    try:
        way = outbox.collector(settings, state.pseudonym(state_folder()), url)
    except state.StateError as error:
        raise SettingsError(str(error)) from None
    return None if way is None else lambda test: _hand_in(settings, way, test)


def _hand_in(settings: Settings, way: Way, test: SelfTest) -> None:
    """One line on standard error says what became of it."""
    from agent.service import outbox
    from processes.aside import run
    from reports.push import send_waiting
    from reports.spool import SpoolError

    if test.interrupted:
        return _say("this self-test was stopped, and is not handed in")
    try:
        with closing(outbox.open_spool(settings, state_folder())) as spool:
            outbox.put(spool, [way], test)
            trouble = run(send_waiting(spool, way.destination, trust=way.trust(), seconds=SEND_S))
    except SpoolError as error:
        return _say(f"the self-test could not be handed in: {error}")
    return _say(f"the self-test waits on this computer to be handed in: {trouble}" if trouble else "handed in")


def _say(text: str) -> None:
    print(f"motesklar: {text}", file=sys.stderr)
