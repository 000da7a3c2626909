"""An event loop all of whose sockets leave by one link: a WebRTC stack has no say in it.

aioice asks the loop for its sockets: UDP for its own candidates, UDP or TCP for a TURN client. Each is bound to the
link's device and address here, and TLS verified by what this computer trusts.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from probes import trust
from probes.links.binding import BindingError, bound_socket
from reports.record import Link

Made = tuple[Any, Any]


class LinkLoop(asyncio.SelectorEventLoop):
    """`link`: None binds nothing. `refused`: the last refusal to bind. `aliases`: names that stand for addresses."""

    def __init__(self, link: Link | None) -> None:
        super().__init__()
        self._link = link
        self.refused: BindingError | None = None
        self.aliases: dict[str, str] = {}

    def _socket(self, family: int, kind: int, local: tuple[Any, ...] | None = None) -> socket.socket:
        if self._link is not None:
            try:
                made = bound_socket(self._link, family, kind)
            except BindingError as error:
                self.refused = error
                raise
        else:
            made = socket.socket(family, kind)
            if local is not None:
                made.bind(local)
        made.setblocking(False)
        return made

    async def _connected(self, host: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """To the first of the host's addresses that the link reaches. OSError when there is none."""
        error = OSError("the name has no address")
        for family, _, _, _, address in await self.getaddrinfo(self.aliases.get(host, host), port, type=kind):
            try:
                made = self._socket(family, kind)
            except OSError as failure:
                error = failure
                continue
            try:
                await self.sock_connect(made, address)
            except OSError as failure:
                error = failure
                made.close()
            except BaseException:
                made.close()
                raise
            else:
                return made
        raise error

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **_: Any
    ) -> Made:
        """As asyncio's, by the link."""
        if remote_addr is not None:
            made = await self._connected(remote_addr[0], remote_addr[1], socket.SOCK_DGRAM)
        else:
            family = socket.AF_INET6 if ":" in local_addr[0] else socket.AF_INET
            made = self._socket(family, socket.SOCK_DGRAM, local_addr)
        try:
            return await super().create_datagram_endpoint(protocol_factory, sock=made)
        except BaseException:
            made.close()
            raise

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Any, host: str, port: int, *, ssl: Any = None, **_: Any
    ) -> Made:
        """As asyncio's, by the link. `ssl`: true for TLS."""
        made = await self._connected(host, port, socket.SOCK_STREAM)
        secured: dict[str, Any] = {}
        if ssl:
            secured = {"ssl": trust.context(), "server_hostname": self.aliases.get(host, host)}
        try:
            joined: Made = await super().create_connection(protocol_factory, sock=made, **secured)
        except BaseException:
            made.close()
            raise
        return joined
