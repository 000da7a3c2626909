"""A foreign page in a real browser, beside the staff page: whatever it tries, it starts, reads and sees nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.ui.guard import Refusal
from agent.ui.life import Limits
from agent.ui.server import Page
from tests.e2e.page_rooms import CHROMIUM, needs_chromium
from tests.ui.serving import serving, told, visiting

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = [needs_chromium, pytest.mark.slow]
SECRET = "the patient's own router"

# Each way by itself; "" is nothing. What it gets it gives back.
TRIES = """
async (target) => {
  const ws = target.replace("http", "ws"), body = '{"company": "alone"}';
  const within = (work) => Promise.race([work, new Promise((r) => setTimeout(() => r(""), 1500))]).catch(() => "");
  const text = (path, options) => within(fetch(target + path + "?tried", options).then((r) => r.text()));
  const loads = (tag, path) => within(new Promise((done) => {
    const element = document.createElement(tag);
    element.onload = () => done("loaded"); element.onerror = () => done("");
    element[tag === "link" ? "href" : "src"] = target + path + "?tried";
    if (tag === "link") element.rel = "stylesheet";
    document.body.append(element);
  }));
  const framed = (path) => within(new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { done(frame.contentDocument.body.innerText); } catch (e) { done(""); } };
    frame.src = target + path + "?tried";
    document.body.append(frame);
  }));
  const form = (path) => within(new Promise((done) => {
    const frame = document.createElement("iframe"), form = document.createElement("form");
    frame.name = "sent" + path;
    frame.onload = () => done("");
    document.body.append(frame);
    Object.assign(form, {method: "post", action: target + path + "?tried", target: frame.name, enctype: "text/plain"});
    form.innerHTML = `<input name='{"company": "alone", "x": "' value='"}'>`;
    document.body.append(form);
    form.submit();
  }));
  const listened = () => within(new Promise((done) => {
    const events = new EventSource(target + "/v1/events?tried", {withCredentials: true});
    events.addEventListener("state", (e) => { events.close(); done(e.data); });
    events.onerror = () => { events.close(); done(""); };
  }));
  const looked = () => within(new Promise((done) => {
    const socket = new WebSocket(ws + "/v1/preview?tried");
    socket.onopen = () => { socket.close(); done("open"); };
    socket.onerror = () => done("");
  }));
  const opened = (path) => within(new Promise((done) => {
    const other = window.open(target + path + "?tried");
    setTimeout(() => { try { done(other.document.body.innerText); } catch (e) { done(""); } }, 500);
  }));
  const json = {"Content-Type": "application/json"};
  return {
    fetched: await text("/v1/state", {credentials: "include"}),
    opaque: await text("/v1/state", {credentials: "include", mode: "no-cors"}),
    page: await text("/", {credentials: "include", mode: "no-cors"}),
    posted: await text("/v1/start", {method: "POST", body, credentials: "include", mode: "no-cors"}),
    asked: await text("/v1/start", {method: "POST", body, credentials: "include", headers: json}),
    beacon: await within(Promise.resolve(navigator.sendBeacon(target + "/v1/start?tried", new Blob([body])) && "")),
    form: await form("/v1/start"),
    image: await loads("img", "/ui/icon.svg"),
    script: await loads("script", "/ui/page.js"),
    style: await loads("link", "/ui/page.css"),
    report: await loads("script", "/v1/report"),
    framed: await framed("/"),
    opened: await opened("/"),
    listened: await listened(),
    looked: await looked(),
  };
}
"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    from playwright.async_api import async_playwright

    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", rules]
        )
        yield started
        await started.close()


@contextlib.asynccontextmanager
async def foreign_server() -> AsyncIterator[int]:
    """Another program's server on this computer; also by a name of its own."""
    from aiohttp import web

    app = web.Application()
    app.router.add_get("/", web_page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


async def web_page(_: Any) -> Any:
    from aiohttp import web

    return web.Response(text="<!doctype html><title>foreign</title><body>", content_type="text/html")


def watched(page: Page) -> list[tuple[str, Refusal | None]]:
    """Each request and what the guard said to it."""
    asked, refusal = list[tuple[str, Refusal | None]](), page.guard.refusal

    def watching(request: Any, *, opening: bool) -> Refusal | None:
        asked.append((f"{request.method} {request.host} {request.path_qs}", refusal(request, opening=opening)))
        return asked[-1][1]

    page.guard.refusal = watching  # type: ignore[method-assign]
    return asked


async def test_a_foreign_page_gets_nothing(browser: Browser) -> None:
    async with serving() as page, foreign_server() as port:
        page.flow.state.title = SECRET
        told(page).ended("r1")
        context = await browser.new_context()
        own = await context.new_page()
        await own.goto(page.opening())
        target = f"http://127.0.0.1:{page.port}"
        assert own.url == f"{target}/"
        asked = watched(page)
        for origin in (f"http://127.0.0.1:{port}", f"http://evil.example:{port}"):
            foreign = await context.new_page()
            await foreign.goto(origin)
            found = await foreign.evaluate(TRIES, target)
            assert {way: got for way, got in found.items() if got} == {}
            await foreign.close()
        theirs = [entry for entry in asked if "tried" in entry[0]]
        assert len(theirs) >= 20
        assert [entry for entry in theirs if entry[1] is None] == []
        assert told(page).asked == []
        # a name of theirs that leads here: the same origin to the browser
        rebound = await context.new_page()
        answer = await rebound.goto(f"http://rebound.example:{page.port}/")
        assert answer is not None
        assert answer.status == 421
        found = await rebound.evaluate(TRIES, f"http://rebound.example:{page.port}")
        assert SECRET not in str(found)
        assert {found[way] for way in ("image", "script", "listened", "looked")} == {""}
        assert {found[way] for way in ("fetched", "asked", "page")} == {'{"code": "misdirected"}'}
        assert told(page).asked == []
        # the same tries by the page itself: they can succeed
        found = await own.evaluate(TRIES, target)
        assert SECRET in found["fetched"]
        assert SECRET in found["listened"]
        assert (found["image"], found["looked"]) == ("loaded", "open")
        assert ("alone", ()) in told(page).asked
        await context.close()


async def test_a_browser_that_is_killed_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.ui.server.TICK_S", 0.05)
    assert CHROMIUM is not None
    async with serving(limits=Limits(run_gone_s=0.5)) as page, visiting(page) as visitor:
        living = asyncio.create_task(page.until(asyncio.Event()))
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-gpu",
            f"--user-data-dir={tmp_path}", page.opening(), start_new_session=True,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(20):
                while not page.life.pages:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert (await visitor.post("start", {"company": "alone"}))[0] == 204
            await asyncio.sleep(0.7)
            assert page.running.on
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        begun = time.monotonic()
        async with asyncio.timeout(5):
            while page.running.on:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert 0.4 < time.monotonic() - begun < 4
        assert page.flow.state.trouble == "stopped"
        living.cancel()
