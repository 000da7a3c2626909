"""What belongs to the end of a guided self-test: the verdict as it is shown, and the report that is handed over.

answer_of(self_test, options, traces) -> Answer
report_text(self_test, options, lang) -> str
report_pdf(self_test, options, lang) -> bytes
"""

from agent.ui.answer import answer_of
from agent.ui.report import report_pdf, report_text

__all__ = ["answer_of", "report_pdf", "report_text"]
