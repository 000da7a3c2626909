"""Standard streams whose reader has gone."""

from __future__ import annotations

import os
from pathlib import Path


def to_nobody(number: int) -> None:
    """What is still written to this file descriptor, or waits in a buffer for it, is written to nobody."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), number)
