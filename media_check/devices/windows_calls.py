"""Windows: the system calls. Written by the documentation and not yet run on Windows; see docs/platforms.md."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .seen import Seen
from .windows import INSTANCE, camera, instance, sound

if TYPE_CHECKING:
    from reports.record import DeviceKind

CAMERAS = UUID("e5323777-f976-4f5b-9b55-b94699c46e44")  # KSCATEGORY_VIDEO_CAMERA
DEVICES = r"SYSTEM\CurrentControlSet\Enum"
INTERFACES = rf"SYSTEM\CurrentControlSet\Control\DeviceClasses\{{{CAMERAS}}}"
ENDPOINTS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio"
FLOWS: tuple[tuple[str, DeviceKind, int], ...] = (("Capture", "microphone", 1), ("Render", "speaker", 0))  # EDataFlow
ENUMERATOR_CLASS = UUID("bcde0395-e52f-467c-8e3d-c4579291692e")  # MMDeviceEnumerator
ENUMERATOR_INTERFACE = UUID("a95664d2-9614-4f35-a746-de8db63617e6")  # IMMDeviceEnumerator
ANY_CONTEXT, COMMUNICATIONS = 0x17, 2  # CLSCTX_ALL, ERole eCommunications: what a call uses
RELEASE, GET_DEFAULT, GET_ID = 2, 4, 5  # places in the tables of IUnknown, IMMDeviceEnumerator, IMMDevice


def _library(name: str) -> Any:
    if sys.platform != "win32":
        raise OSError("this is not Windows")
    return ctypes.WinDLL(name)  # type: ignore[unreachable, unused-ignore]


def cameras() -> list[Seen]:
    """Those that are there now."""
    found = []
    for index, link in enumerate(_camera_links()):
        device = rf"{DEVICES}\{instance(link)}"
        own = rf"{INTERFACES}\{link.replace(chr(92), '#')[: link.rfind(chr(92))]}\#GLOBAL\Device Parameters"
        name = _value(own, "FriendlyName") or _value(device, "FriendlyName") or _value(device, "DeviceDesc")
        found.append(camera(index, link, str(name or ""), str(_value(device, "ContainerID") or "")))
    return found


def _camera_links() -> list[str]:
    """Symbolic links of the camera interfaces that are present (CM_Get_Device_Interface_ListW)."""
    library, guid = _library("cfgmgr32"), (ctypes.c_ubyte * 16)(*CAMERAS.bytes_le)
    size = ctypes.c_ulong()
    if library.CM_Get_Device_Interface_List_SizeW(ctypes.byref(size), guid, None, 0):
        raise OSError("the list of cameras is not to be had")
    buffer = ctypes.create_unicode_buffer(size.value + 1)
    if library.CM_Get_Device_Interface_ListW(guid, None, buffer, size, 0):
        raise OSError("the list of cameras is not to be had")
    return [link for link in "".join(buffer).split("\0") if link]


def sounds() -> list[Seen]:
    """Every endpoint that the audio service knows."""
    found = []
    for flow, kind, number in FLOWS:
        default = ""
        with suppress(OSError):
            default = _default(number)
        for ident in _keys(rf"{ENDPOINTS}\{flow}"):
            key = rf"{ENDPOINTS}\{flow}\{ident}"
            values = dict(_values(rf"{key}\Properties"))
            device = str(values.get(INSTANCE, "")).rpartition("}.")[2]
            container = str(_value(rf"{DEVICES}\{device}", "ContainerID") or "") if device else ""
            found.append(sound(kind, ident, int(_value(key, "DeviceState") or 0), values, default, container))
    return found


def _default(flow: int) -> str:
    """The id of the endpoint that calls use; "" when there is none. OSError: COM does not answer."""
    library = _library("ole32")
    library.CoInitializeEx(None, 0)
    enumerator, device, ident = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_wchar_p()
    clsid = (ctypes.c_ubyte * 16)(*ENUMERATOR_CLASS.bytes_le)
    iid = (ctypes.c_ubyte * 16)(*ENUMERATOR_INTERFACE.bytes_le)
    if library.CoCreateInstance(clsid, None, ANY_CONTEXT, iid, ctypes.byref(enumerator)):
        raise OSError("no audio service")
    try:
        if _method(enumerator, GET_DEFAULT, flow, COMMUNICATIONS, ctypes.byref(device)):
            return ""
        try:
            failed = _method(device, GET_ID, ctypes.byref(ident))
            text = "" if failed else ident.value or ""
            library.CoTaskMemFree(ident)
            return text
        finally:
            _method(device, RELEASE)
    finally:
        _method(enumerator, RELEASE)


def _method(thing: ctypes.c_void_p, place: int, *arguments: Any) -> int:
    """Call one method of a COM object by its place in the table."""
    table = ctypes.cast(thing, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
    kinds = [ctypes.c_int if isinstance(a, int) else ctypes.c_void_p for a in arguments]
    function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, *kinds)(table[place] or 0)
    given = [a if isinstance(a, int) else ctypes.cast(a, ctypes.c_void_p) for a in arguments]
    return int(function(thing, *given))


def _value(key: str, name: str) -> Any:
    return dict(_values(key)).get(name)


def _values(key: str) -> Iterator[tuple[str, Any]]:
    """A registry key's values; none when there is no such key."""
    registry = import_module("winreg")
    with suppress(OSError), registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as opened:
        for index in range(registry.QueryInfoKey(opened)[1]):
            name, value, _ = registry.EnumValue(opened, index)
            yield name, value


def _keys(key: str) -> Iterator[str]:
    """The names of the keys below it."""
    registry = import_module("winreg")
    with suppress(OSError), registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as opened:
        for index in range(registry.QueryInfoKey(opened)[0]):
            yield registry.EnumKey(opened, index)
