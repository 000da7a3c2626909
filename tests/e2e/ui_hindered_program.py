"""`python -m tests.e2e.ui_hindered_program ARGUMENTS…`: motesklar with a test's cameras, and a sentence of READS_S.

With GONE in the environment a run whose page has gone is stopped after so many seconds, and not after its own 15.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from agent.cli import main
from agent.ui import life, server
from media_check import microphone
from tests.media_check import camera_double

GONE = "MOTESKLAR_TEST_GONE_S"
READS_S = 1.5

if __name__ == "__main__":
    camera_double.install()
    microphone.ATTENDED_S = READS_S
    if GONE in os.environ:
        patched: Any = server
        patched.Limits = partial(life.Limits, run_gone_s=float(os.environ[GONE]))
    main()
