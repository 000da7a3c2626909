"""The metrics as a file that node_exporter's textfile collector reads."""

from __future__ import annotations

from pathlib import Path

from reports.metrics import exposition
from reports.record import SelfTest
from reports.replacing import replace

SUFFIX = ".prom"  # node_exporter reads no other
READABLE = 0o644  # node_exporter runs as a user of its own


def write_textfile(path: Path, test: SelfTest, *, links: bool = False) -> None:
    """Replace the file in one step: a reader sees the old or the new, whole.

    Raises OSError, and ValueError for a name that node_exporter would not read.
    """
    if path.suffix != SUFFIX:
        raise ValueError(f"the file's name must end in {SUFFIX}, or node_exporter does not read it")
    replace(path, exposition(test, links=links), READABLE)
