"""What a machine and a run are called on their way to a collector, and how it is told which machine it was."""

from __future__ import annotations

import re

MACHINE_HEADER = "Motesklar-Machine"
PSEUDONYM = re.compile(r"[0-9a-f]{32}")  # of a machine: 128 random bits that it made for itself
RUN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
