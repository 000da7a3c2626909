"""Linux: short questions to services on the system D-Bus, which must already run (nothing is started by asking)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

PROPERTIES = "org.freedesktop.DBus.Properties"


class NoAnswerError(OSError):
    """The bus, the service or the object is not there."""


@asynccontextmanager
async def system_bus() -> AsyncIterator[MessageBus]:
    """A connection, closed at the end. Raises `NoAnswerError` where there is no system bus."""
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import AuthError, InvalidAddressError

    try:
        bus = MessageBus(bus_type=BusType.SYSTEM)
    except (OSError, InvalidAddressError) as error:
        raise NoAnswerError("no system bus") from error
    try:
        try:
            await bus.connect()
        except (OSError, AuthError, EOFError) as error:
            raise NoAnswerError("no system bus") from error
        yield bus
    finally:
        bus.disconnect()


async def call(bus: MessageBus, service: str, path: str, method: str, signature: str = "", *body: Any) -> list[Any]:
    """One method call; `method` is interface and member in one. Raises `NoAnswerError`."""
    from dbus_fast import Message, MessageFlag, MessageType

    interface, member = method.rsplit(".", 1)
    flags = MessageFlag.NO_AUTOSTART
    question = Message(service, path, interface, member, signature=signature, body=list(body), flags=flags)
    try:
        answer = await bus.call(question)
    except EOFError as error:
        raise NoAnswerError(service) from error
    if answer is None or answer.message_type != MessageType.METHOD_RETURN:
        raise NoAnswerError(service)
    return list(answer.body)


async def properties(bus: MessageBus, service: str, path: str, interface: str) -> dict[str, Any]:
    """All properties of one object, with the variants unpacked one level."""
    [said] = await call(bus, service, path, f"{PROPERTIES}.GetAll", "s", interface)
    return {name: variant.value for name, variant in said.items()}
