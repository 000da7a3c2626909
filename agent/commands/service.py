"""`agent`: the background service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def agent(
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
) -> None:
    """Test this computer now and then in the background, and hand the answers in."""
    from agent.service import starting

    starting.run(settings)
