"""The command line: it reads arguments, calls, prints, and turns every outcome into the contract's exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from agent.commands import readiness, service, serving, showing, testing, ui

WRONG_USAGE, DEFECT, STOPPED = 2, 70, 130

app = typer.Typer(
    name="motesklar",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Is this connection ready for a care-planning meeting by video? An honest answer and one next action.",
)

COMMANDS = (
    *(ui.ui, testing.check, testing.join, showing.links, showing.devices),
    *(serving.room, service.agent, readiness.readiness),
)
for command in COMMANDS:
    app.command()(command)


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
    return told(lambda: app(standalone_mode=False))


def told(work: Callable[[], object]) -> int:
    """Do it; the exit code. What goes wrong is said in one line on stderr."""
    try:
        result = work()
        if sys.stdout is not None:  # closed, or a program without a terminal on Windows
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
    from agent import defects

    return _say(defects.line(error), DEFECT)


def _closed_output() -> int:
    """The reader of our output has gone: nothing more can be said, and the shell must not complain either."""
    from agent.streams import to_nobody

    to_nobody(1)
    return STOPPED
