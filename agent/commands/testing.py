"""`check` and `join`: a test, and its level as the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT = {"ready": 0, "degraded": 10, "not_ready": 20, "unknown": 30}


def check(
    room: Annotated[str | None, typer.Option(help="the test room: its URL, or: embedded")] = None,
    link: Annotated[list[str] | None, typer.Option(help="test this link; may be repeated")] = None,
    all_links: Annotated[bool, typer.Option("--all-links", help="test every link in the same seconds")] = False,
    only: Annotated[list[str] | None, typer.Option(help="run these probes only")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="leave these probes out")] = None,
    seconds: Annotated[float | None, typer.Option(help="how long to send (default 6, deep 30)")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="take the time and the data that it needs")] = False,
    budget_mb: Annotated[float | None, typer.Option(help="the most data to move by a link")] = None,
    isochronous_ms: Annotated[float | None, typer.Option(help="even packets at this pace, no meeting")] = None,
    no_devices: Annotated[bool, typer.Option("--no-devices", help="leave camera and sound out")] = False,
    guided: Annotated[bool, typer.Option("--guided", help="step by step, with questions that you answer")] = False,
    alone: Annotated[bool, typer.Option("--alone", help="one person sits here")] = False,
    several: Annotated[bool, typer.Option("--several", help="several people sit here together")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="play no sound")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="leave addresses in the JSON document")] = False,
    html: Annotated[Path | None, typer.Option(help="write the receipt to this file, as a page")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write the receipt to this file, as PDF")] = None,
    raw: Annotated[Path | None, typer.Option(help="write every round trip to this file")] = None,
    report: Annotated[bool | None, typer.Option("--report/--no-report", help="hand the self-test in")] = None,
    profile: Annotated[str | None, typer.Option(help="the meeting service: a name, or a file of your own")] = None,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Test this computer's connection and say whether it carries a meeting."""
    from agent import options, reporting
    from agent.settings import load

    chosen = load(settings)
    asked = options.Options(
        policy=options.policy_of(chosen, policy),
        room=options.room_of(room, chosen),
        seconds=options.seconds_of(seconds, chosen, deep=deep),
        language=options.language_of(lang, chosen),
        probes=options.probes_of(only or (), skip or (), devices=not no_devices),
        checks=options.checks_of(only or (), skip or (), devices=not no_devices),
        company=options.company_of(alone=alone, several=several),
        quiet=quiet,
        links=tuple(link or ()),
        all_links=all_links,
        budget_mb=options.budget_of(budget_mb, chosen),
        deep=deep,
        named=options.named_of(only or ()),
        isochronous_ms=options.interval_of(isochronous_ms),
        raw=raw,
        html=html,
        pdf=pdf,
        profile=options.profile_of(profile, chosen),
    )
    hand_in = reporting.reporter(chosen, room, report)
    if guided:
        from agent.guided import run
    else:
        from agent.check import run
    raise typer.Exit(EXIT[run(asked, as_json=as_json, addresses=addresses, report=hand_in)])


def join(
    room: Annotated[str | None, typer.Option(help="the test room's URL")] = None,
    link: Annotated[str | None, typer.Option(help="go by this link")] = None,
    profile: Annotated[str | None, typer.Option(help="the meeting service: a name, or a file of your own")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="leave addresses in the JSON document")] = False,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Go the way into the meeting step by step, and name the first that fails."""
    from agent import joining as command
    from agent import options
    from agent.settings import load

    chosen = load(settings)
    where = options.room_of(room, chosen)
    asked = options.Options(
        policy=options.policy_of(chosen, policy),
        room=where,
        seconds=command.MEDIA_S,
        language=options.language_of(lang, chosen),
        probes=command.PROBES,
        links=() if link is None else (link,),
        named=command.PROBES if where else (),
        profile=options.profile_of(profile, chosen),
        together=True,
    )
    raise typer.Exit(EXIT[command.run(asked, as_json=as_json, addresses=addresses)])
