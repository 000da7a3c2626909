"""`readiness`: which machines are tested and ready, and what to mend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def readiness(
    room: Annotated[str | None, typer.Option(help="the room that keeps the self-tests: its URL")] = None,
    store: Annotated[str | None, typer.Option(help="or the store itself: a file, or a database URL")] = None,
    organisation: Annotated[str | None, typer.Option(help="whose, in that store")] = None,
    unit: Annotated[str | None, typer.Option(help="of this unit only")] = None,
    html: Annotated[Path | None, typer.Option(help="write a page to this file")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write PDF to this file")] = None,
    csv: Annotated[Path | None, typer.Option(help="write CSV for a spreadsheet to this file")] = None,
    json: Annotated[Path | None, typer.Option(help="write JSON to this file; - is standard output")] = None,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Show which machines and rooms are tested and ready, until when, and what to mend."""
    from agent import options
    from agent import readiness as command
    from agent.settings import load

    if room is not None and store is not None:
        raise options.UsageError("--room and --store contradict each other")
    if policy is not None and store is None:
        raise options.UsageError("--policy goes with --store; a room has its own")
    chosen = load(settings)
    named = {"html": html, "pdf": pdf, "csv": csv, "json": json}
    command.run(
        command.Asked(
            language=options.language_of(lang, chosen),
            policy=options.policy_of(chosen, policy),
            files={name: path for name, path in named.items() if path is not None},
            room=None if store is not None else options.room_of(room, chosen),
            store=store,
            organisation=organisation,
            unit=unit,
        )
    )
