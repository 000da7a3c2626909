"""`ui`: the page for staff, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ui(
    room: Annotated[str | None, typer.Option(help="the test room: its URL, or: embedded")] = None,
    profile: Annotated[str | None, typer.Option(help="the meeting service: a name, or a file of your own")] = None,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
    port: Annotated[int, typer.Option(help="of the page on this computer; 0: any")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="print the page's address only")] = False,
) -> None:
    """Open the test page in the browser: step by step, with one answer at the end."""
    from agent.options import UsageError
    from agent.settings import SettingsError

    try:
        _open(room, profile, policy, settings, lang, port, browser=not no_browser)
    except (UsageError, SettingsError) as error:
        from agent.ui import trouble

        if not no_browser and trouble.unseen():
            trouble.show(str(error), "en" if lang == "en" else "sv")
        raise


def _open(
    room: str | None,
    profile: str | None,
    policy: Path | None,
    settings: Path | None,
    lang: str | None,
    port: int,
    *,
    browser: bool,
) -> None:
    from agent import options, reporting
    from agent.settings import load, state_folder
    from agent.ui import opening

    chosen = load(settings)
    asked = options.Options(
        policy=options.policy_of(chosen, policy),
        room=options.room_of(room, chosen),
        seconds=options.seconds_of(None, chosen),
        language=options.language_of(lang, chosen),
        probes=options.probes_of((), ()),
        checks=options.checks_of((), ()),
        budget_mb=options.budget_of(None, chosen),
        profile=options.profile_of(profile, chosen),
    )
    hand_in = reporting.reporter(chosen, room, None)
    opening.run(opening.Asked(asked, port=port, browser=browser, hand_in=hand_in), state_folder())
