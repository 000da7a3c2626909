"""`python -m agent.service [SETTINGS]`: what `motesklar agent` becomes."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.cli import told
from agent.service.starting import serve

if __name__ == "__main__":
    sys.exit(told(lambda: serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
