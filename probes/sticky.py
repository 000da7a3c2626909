"""A resolver that keeps to the address that answered: a session is one room's, and a name may stand for several."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult


def numeric(host: str, port: int, address: str) -> ResolveResult:
    """A resolver's answer: this address for the host."""
    from aiohttp.abc import ResolveResult

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


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
        if self.kept is None:
            return await self._within.resolve(host, port, family)
        return [numeric(host, port, self.kept)]

    async def close(self) -> None:
        """The one within too."""
        await self._within.close()
