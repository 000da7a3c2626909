"""Discovery and classification of every link of this computer.

The platform's module is chosen, and imported, when it is asked. Each has `async def collect() -> Collected`: the
same shape from every platform; what they all share is in classify.py and settle.py.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module

from reports.record import Link

from .settle import default_link, settle

__all__ = ["DEADLINE_S", "default_link", "discover", "platform_module"]

DEADLINE_S = 1.5
MODULES = {"linux": "linux", "win32": "windows", "darwin": "macos"}


def platform_module(platform: str = sys.platform) -> str:
    """The name of the module that looks at this platform's links. Raises `NotImplementedError` elsewhere."""
    if platform not in MODULES:
        raise NotImplementedError(f"links cannot be listed on {platform}")
    return MODULES[platform]


async def discover(deadline_s: float = DEADLINE_S) -> tuple[Link, ...]:
    """Every link, in the system's order. A source that is missing or slow leaves its fields unknown.

    Returns () when the system itself does not answer in time. The time of a first import is not counted.
    """
    module = import_module(f".{platform_module()}", __package__)
    module.warm_up()
    try:
        async with asyncio.timeout(deadline_s):
            drafts, peer_routes = await module.collect()
    except (OSError, TimeoutError):
        return ()
    return settle(drafts, peer_routes)
