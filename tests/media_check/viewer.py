"""A program that views a camera: `python -m tests.media_check.viewer HANDLE SECONDS`. It prints what came, in words."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict

from media_check import viewing
from media_check.errand import Errand
from reports.draft import Draft
from reports.record import Device
from tests.media_check import camera_double


async def view(handle: str, seconds: float) -> Draft:
    one = Device("camera", "a camera", "USB camera", "usb", 0.9, (), None, handle)
    errand = Errand((one,), time.monotonic() + 6, asyncio.Event())
    until = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, until.set)
    return await viewing.view(errand, lambda _: print("frame", flush=True), lambda _: None, until)


if __name__ == "__main__":
    if camera_double.FOLDER in os.environ:
        camera_double.install()
    print(json.dumps(asdict(asyncio.run(view(sys.argv[1], float(sys.argv[2]))))))
