"""The command line: it reads arguments, calls, prints, and turns every outcome into the contract's exit code."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

WRONG_USAGE, DEFECT, STOPPED = 2, 70, 130
EXIT = {"ready": 0, "degraded": 10, "not_ready": 20, "unknown": 30}

app = typer.Typer(
    name="motesklar",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Is this connection ready for a care-planning meeting by video? An honest answer and one next action.",
)


@app.command()
def check(
    room: Annotated[str | None, typer.Option(help="the test room: its URL, or: embedded")] = None,
    link: Annotated[list[str] | None, typer.Option(help="test this link; may be repeated")] = None,
    all_links: Annotated[bool, typer.Option("--all-links", help="test every link in the same seconds")] = False,
    only: Annotated[list[str] | None, typer.Option(help="run these probes only")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="leave these probes out")] = None,
    seconds: Annotated[float | None, typer.Option(help="how long to send (default 6, deep 30)")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="take the time and the data that it needs")] = False,
    budget_mb: Annotated[float | None, typer.Option(help="the most data to move by a link")] = None,
    isochronous_ms: Annotated[float | None, typer.Option(help="even packets at this pace, no meeting")] = None,
    no_devices: Annotated[bool, typer.Option("--no-devices", help="leave camera and sound out")] = False,
    alone: Annotated[bool, typer.Option("--alone", help="one person sits here")] = False,
    several: Annotated[bool, typer.Option("--several", help="several people sit here together")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="play no sound")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="leave addresses in the JSON document")] = False,
    raw: Annotated[Path | None, typer.Option(help="write every round trip to this file")] = None,
    profile: Annotated[str | None, typer.Option(help="the meeting service: a name, or a file of your own")] = None,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Test this computer's connection and say whether it carries a meeting."""
    from agent import check as command
    from agent import options
    from agent.settings import load

    chosen = load(settings)
    asked = options.Options(
        policy=options.policy_of(chosen, policy),
        room=options.room_of(room, chosen),
        seconds=options.seconds_of(seconds, chosen, deep=deep),
        language=options.language_of(lang, chosen),
        probes=options.probes_of(only or (), skip or (), devices=not no_devices),
        checks=options.checks_of(only or (), skip or (), devices=not no_devices),
        company=options.company_of(alone=alone, several=several),
        quiet=quiet,
        links=tuple(link or ()),
        all_links=all_links,
        budget_mb=options.budget_of(budget_mb, chosen),
        deep=deep,
        named=options.named_of(only or ()),
        isochronous_ms=options.interval_of(isochronous_ms),
        raw=raw,
        profile=options.profile_of(profile, chosen),
    )
    raise typer.Exit(EXIT[command.run(asked, as_json=as_json, addresses=addresses)])


@app.command()
def join(
    room: Annotated[str | None, typer.Option(help="the test room's URL")] = None,
    link: Annotated[str | None, typer.Option(help="go by this link")] = None,
    profile: Annotated[str | None, typer.Option(help="the meeting service: a name, or a file of your own")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="leave addresses in the JSON document")] = False,
    policy: Annotated[Path | None, typer.Option(help="a policy of your own over the shipped one")] = None,
    settings: Annotated[Path | None, typer.Option(help="another settings file")] = None,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Go the way into the meeting step by step, and name the first that fails."""
    from agent import joining as command
    from agent import options
    from agent.settings import load

    chosen = load(settings)
    where = options.room_of(room, chosen)
    asked = options.Options(
        policy=options.policy_of(chosen, policy),
        room=where,
        seconds=command.MEDIA_S,
        language=options.language_of(lang, chosen),
        probes=command.PROBES,
        links=() if link is None else (link,),
        named=command.PROBES if where else (),
        profile=options.profile_of(profile, chosen),
        together=True,
    )
    raise typer.Exit(EXIT[command.run(asked, as_json=as_json, addresses=addresses)])


@app.command()
def links(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    addresses: Annotated[bool, typer.Option("--addresses", help="show addresses too")] = False,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Show the links of this computer, what kind each is, and why."""
    from agent import listing
    from agent.options import language_of
    from agent.settings import load

    listing.show(language_of(lang, load()), as_json=as_json, addresses=addresses)


@app.command()
def devices(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
    names: Annotated[bool, typer.Option("--names", help="the devices' own names in the JSON document too")] = False,
    lang: Annotated[str | None, typer.Option(help="sv or en")] = None,
) -> None:
    """Show the cameras, microphones and speakers of this computer, what form each has, and why."""
    from agent import device_listing
    from agent.options import language_of
    from agent.settings import load

    device_listing.show(language_of(lang, load()), as_json=as_json, names=names)


@app.command()
def room(
    listen: Annotated[
        str, typer.Option(help="HOST:PORT for HTTPS; an empty host means every address")
    ] = "127.0.0.1:8443",
    stamp_port: Annotated[int, typer.Option(help="UDP port of the reflector; 0: any")] = 8862,
    tls_cert: Annotated[Path | None, typer.Option(help="a certificate chain (PEM)")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its key (PEM)")] = None,
    token_file: Annotated[Path | None, typer.Option(help="the organisations' tokens (TOML)")] = None,
    open_stamp: Annotated[list[str] | None, typer.Option(help="a network that may use plain STAMP")] = None,
    max_sessions: Annotated[int, typer.Option(help="how many sessions at once")] = 2000,
    max_packets_per_second: Annotated[float, typer.Option(help="of one session")] = 1500.0,
    open_ndt7: Annotated[bool, typer.Option("--open-ndt7", help="let every ndt7 client measure here")] = False,
    no_throughput: Annotated[bool, typer.Option("--no-throughput", help="no tests that fill the link")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="take no calls")] = False,
    max_calls: Annotated[int | None, typer.Option(help="calls at once (default 40 a worker)")] = None,
    call_workers: Annotated[int | None, typer.Option(help="processes for calls, a core each (default 1)")] = None,
    call_address: Annotated[str | None, typer.Option(help="where callers send, if not where they asked")] = None,
    call_ports: Annotated[str | None, typer.Option(help="UDP ports of calls, like 50000-50099")] = None,
    turn: Annotated[list[str] | None, typer.Option(help="a relay that callers may use; may be repeated")] = None,
    turn_secret_file: Annotated[Path | None, typer.Option(help="the secret that the relay shares")] = None,
    guests: Annotated[bool, typer.Option("--guests", help="the page /test for everybody")] = False,
) -> None:
    """Run the test room that others measure against."""
    from agent import roomcalls, roomservice

    calls = roomcalls.CallOptions(
        calls=not no_calls,
        guests=guests,
        most=max_calls,
        workers=call_workers,
        address=call_address,
        ports=call_ports,
        turn=tuple(turn or ()),
        turn_secret_file=turn_secret_file,
    )
    asked = roomservice.RoomOptions(
        listen=listen,
        stamp_port=stamp_port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        token_file=token_file,
        open_stamp=tuple(open_stamp or ()),
        max_sessions=max_sessions,
        max_packets_per_second=max_packets_per_second,
        open_ndt7=open_ndt7,
        throughput=not no_throughput,
        calls=calls,
    )
    roomservice.run(asked)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    if version:
        from agent.selftest import own_version

        print(own_version())
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(WRONG_USAGE)


def main() -> None:
    """Entry point: errors become one line on stderr, never a traceback."""
    sys.exit(_run())


def _run() -> int:
    try:
        result = app(standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _say(message or "see motesklar --help", WRONG_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", STOPPED)
    except (BrokenPipeError, SystemExit):  # typer ends the program by itself when a pipe breaks
        return _closed_output()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return _defect(error)
        _closed_output()
        return _say(f"cannot write the answer: {error.strerror}", WRONG_USAGE)
    except ValueError as error:
        if _is_usage(error):
            return _say(str(error), WRONG_USAGE)
        return _defect(error)
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets a sentence
        return _defect(error)
    if result == STOPPED:  # typer makes this of a KeyboardInterrupt, and says nothing
        return _say("stopped", STOPPED)
    return result if isinstance(result, int) else 0


def _is_usage(error: ValueError) -> bool:
    from agent.options import UsageError
    from agent.settings import SettingsError

    return isinstance(error, UsageError | SettingsError)


def _say(message: str, code: int) -> int:
    print(f"motesklar: {' '.join(message.split())}", file=sys.stderr)
    return code


def _defect(error: Exception) -> int:
    """Not the user's fault: say so, with what a developer needs, in one line."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
    return _say(f"a defect of the program, please report it: {type(error).__name__} at {where}", DEFECT)


def _closed_output() -> int:
    """The reader of our output has gone: nothing more can be said, and the shell must not complain either."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return STOPPED
