"""How much data self-tests have moved today: kept in a file, so that a restart does not give the day's share anew.

What a test may move is written down before it begins, and corrected when it has ended. One that is killed has thus
moved all that it might have.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from reports.replacing import replace

DAY_S = 86400.0


class Budget:
    """Of one day (UTC). `most_bytes`: both ways together, over all links."""

    def __init__(self, path: Path, most_bytes: float) -> None:
        self.path, self.most_bytes = path, most_bytes

    def left(self, now: float) -> float:
        """Bytes that may be moved today, never below 0."""
        return max(0.0, self.most_bytes - self.spent(now))

    def spent(self, now: float) -> float:
        """Bytes of today. A file that cannot be read says nothing, and the day begins anew."""
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            spent = float(kept["bytes"]) if kept["day"] == day(now) else 0.0
        except (OSError, ValueError, TypeError, KeyError):
            return 0.0
        return spent if 0.0 <= spent < float("inf") else 0.0

    def spend(self, now: float, octets: float) -> None:
        """On the disk when it returns; below 0 gives back. Raises OSError."""
        kept = {"day": day(now), "bytes": max(0.0, self.spent(now) + octets)}
        replace(self.path, json.dumps(kept).encode())


def day(now: float) -> str:
    """The date, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))
