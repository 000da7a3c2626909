"""`check --html FILE --pdf FILE`: the receipt of the self-test that was just made."""

from __future__ import annotations

import sys

from agent.files import STDOUT, check_file, replace_file
from agent.options import Options, UsageError
from reports.advice import text
from reports.record import SelfTest
from reports.reference import code_of


def check_files(options: Options) -> None:
    """Better to hear that a file cannot be written before the test than after it. Raises UsageError."""
    for option, path in (("--html", options.html), ("--pdf", options.pdf)):
        if str(path) == STDOUT:
            raise UsageError(f"{option}: name a file; standard output is for the answer")
        check_file(option, path)


def write(self_test: SelfTest, options: Options) -> None:
    """The files that were asked for, each whole or not at all. Raises UsageError."""
    lasting = options.policy.readiness.valid_seconds
    if options.html is None and options.pdf is None:
        return
    if options.html is not None:
        from reports.receipt import html

        replace_file("--html", options.html, html.render(self_test, options.language, lasting).encode())
    if options.pdf is not None:
        from reports.receipt import pdf

        replace_file("--pdf", options.pdf, pdf.render(self_test, options.language, lasting))
    print(f"{text('receipt.reference', options.language)}: {code_of(self_test.run_id)}", file=sys.stderr)
