"""The agent's child process: one errand, told in a line of JSON, then it ends.

| job     | does                                                   | says                                              |
|---------|--------------------------------------------------------|---------------------------------------------------|
| prepare | checks the settings, opens the spool                   | {"machine"}, {"spool": …, "wait": seconds or null}|
| test    | looks whether it may test; tests, and keeps the answer | {"put_off": reason}, {"stopped": true} or         |
|         |                                                        | {"run", "level", "started_at"}                    |
| send    | empties the spool as far as it goes                    | {"spool": …, "wait": seconds or null}             |

Each may say {"say": a sentence for the log}, and {"wrong": …} when the settings or the state folder cannot be used.
The errand has "job", "settings" (tables), "state" (folder), and "ours", the process whose own devices do not count.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.options import UsageError
from agent.service.state import StateError
from agent.settings import SettingsError
from processes import aside, child
from reports.spool import SpoolError

if TYPE_CHECKING:
    from agent.settings import Settings


class Work:
    """`stop`: asked for by the parent."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.stop = asyncio.Event()

    def hear(self, line: dict[str, Any]) -> None:
        """In another thread."""
        if line.get("stop"):
            self._asked.set()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.stop.set)

    def work(self, first: dict[str, Any], say: child.Say) -> None:
        """The errand. What a person must mend is said."""
        try:
            aside.run(self._do(first, say))
        except (UsageError, SettingsError, StateError, SpoolError) as error:
            say({"wrong": str(error)})
        except OSError as error:
            say({"wrong": f"the state folder {first['state']} cannot be used: {error.strerror or error}"})

    async def _do(self, first: dict[str, Any], say: child.Say) -> None:
        from agent.settings import parse

        self._loop = asyncio.get_running_loop()
        if self._asked.is_set():
            self.stop.set()
        settings, folder = parse(first["settings"], "the settings"), Path(first["state"])
        if first["job"] == "test":
            from agent.service.testing import test

            await test(settings, folder, first, self.stop, say)
        else:
            await self._spool(settings, folder, first, say)

    async def _spool(self, settings: Settings, folder: Path, first: dict[str, Any], say: child.Say) -> None:
        from agent.service import sending
        from agent.service.state import pseudonym

        machine = pseudonym(folder)
        if first["job"] == "prepare":
            from agent.service.testing import options_of

            options_of(settings)
            say({"machine": machine})
            await sending.look(settings, folder, machine, say, hurry=bool(first.get("hurry")))
        else:
            await sending.send(settings, folder, machine, self.stop, say)


if __name__ == "__main__":
    work = Work()
    child.run(work.work, work.hear)
