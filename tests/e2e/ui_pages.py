"""The staff page with a state of the table, for the tests that look at it and use it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent.ui.state import State
from tests.ui import states
from tests.ui.page_server import PageServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

TABLE = states.table()
# Words outside the window, cut off by what holds them, or a letter on each line. What is only for screen readers is
# meant to be unseen.
LOST = """() => {
  const lost = [], wide = document.documentElement;
  if (wide.scrollWidth > wide.clientWidth) lost.push(`scrolls sideways: ${wide.scrollWidth} > ${wide.clientWidth}`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement;
    if (!node.data.trim() || holder.closest(".unseen, .device .use, noscript, thead") || !holder.checkVisibility())
      continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width && (box.left < -1 || box.right > wide.clientWidth + 1)) lost.push(`outside: ${node.data}`);
    const size = parseFloat(getComputedStyle(holder).fontSize);
    const squeezed = node.data.trim().length > 6 && box.width < 3 * size && box.height > 6 * size;
    if (squeezed) lost.push(`squeezed: ${node.data}`);
    for (let up = holder; up; up = up.parentElement) {
      const style = getComputedStyle(up), frame = up.getBoundingClientRect();
      const beyond = box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      if (style.overflow !== "visible" && beyond) lost.push(`cut off: ${node.data}`);
    }
  }
  return lost;
}"""


def shown(page: Page, server: PageServer, state: State) -> None:
    """The page has drawn this state."""
    number = server.show(state)
    page.wait_for_function("number => document.getElementById('main').dataset.revision === number", arg=str(number))


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")


def fold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = false })")


def pictured(page: Page, path: Path) -> None:
    """The whole page, the bar at the foot where it ends; and what fits in the window. Only where they are wanted."""
    if "MOTESKLAR_SHOTS" not in os.environ:
        return
    place = "place => { document.getElementById('foot').style.position = place }"
    page.screenshot(path=path.with_stem(f"{path.stem}-window"))
    page.evaluate(place, "static")
    page.screenshot(path=path, full_page=True)
    page.evaluate(place, "")
