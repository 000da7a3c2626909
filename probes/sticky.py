"""A resolver that keeps to the address that answered: a session is one room's, and a name may stand for several."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult


class Sticky:
    """aiohttp's AbstractResolver in shape. `kept`: once set, every name has this address; before, `within` is asked."""

    def __init__(self, within: AbstractResolver | None = None) -> None:
        from aiohttp import DefaultResolver

        self._within: AbstractResolver = within or DefaultResolver()
        self.kept: str | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses to try."""
        from aiohttp.abc import ResolveResult

        if self.kept is None:
            return await self._within.resolve(host, port, family)
        kind = socket.AF_INET6 if ":" in self.kept else socket.AF_INET
        return [
            ResolveResult(hostname=host, host=self.kept, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        """The one within too."""
        await self._within.close()
