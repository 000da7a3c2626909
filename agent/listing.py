"""`motesklar links`: every link, its kind, and the evidence for it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence

from reports.advice import Lang
from reports.record import Link

HIDDEN = {"addresses": (), "gateway": None, "gateway_v6": None, "resolvers": ()}


def show(language: Lang, *, as_json: bool, addresses: bool) -> None:
    """Print them, the one in use first."""
    from probes.links import discover

    links = sorted(asyncio.run(discover()), key=lambda link: (not link.is_default, link.kind == "other", link.name))
    shown = [link if addresses else dataclasses.replace(link, **HIDDEN) for link in links]  # type: ignore[arg-type]
    if as_json:
        usable = {link.name: link.usable for link in links}
        rows = [dataclasses.asdict(link) | {"usable": usable[link.name]} for link in shown]
        print(json.dumps({"schema": "motesklar.links/1", "links": rows}, ensure_ascii=False))
    else:
        _table(shown, {link.name for link in links if link.usable}, language)


def _table(links: Sequence[Link], usable: set[str], language: Lang) -> None:
    from rich.console import Console
    from rich.table import Table

    from reports.advice import text

    table = Table(box=None, pad_edge=False)
    for heading in ("links.name", "links.kind", "links.sure", "links.state", "links.why"):
        table.add_column(text(heading, language))
    for link in links:
        state = "links.in_use" if link.is_default else "links.usable" if link.name in usable else "links.not_connected"
        why = "; ".join([*link.evidence, *link.addresses])
        table.add_row(
            link.name, text(f"kind.{link.kind}", language), f"{link.confidence:.0%}", text(state, language), why
        )
    Console().print(table)
