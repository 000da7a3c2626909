"""`links` and `devices`: what this computer has."""

from __future__ import annotations

from typing import Annotated

import typer


def links(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="show addresses too")] = False,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Show the links of this computer, what kind each is, and why."""
    from agent import listing
    from agent.options import language_of
    from agent.settings import load

    listing.show(language_of(lang, load()), as_json=as_json, addresses=addresses)


def devices(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    names: Annotated[bool, typer.Option("--names", help="the devices' own names in the JSON document too")] = False,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Show the cameras, microphones and speakers of this computer, what form each has, and why."""
    from agent import device_listing
    from agent.options import language_of
    from agent.settings import load

    device_listing.show(language_of(lang, load()), as_json=as_json, names=names)
