"""What the page asks for and is told: the real server, a browser's requests, and a flow that does as it is told."""

from __future__ import annotations

import json

import pytest

from agent.ui.server import Page
from agent.ui.state import as_json
from reports.reference import code_of
from tests.ui.serving import SAME, Visitor, code, get, key, post, say, status, told, until

JPEG = b"\xff\xd8 a picture \xff\xd9"


# ---- the page and what it asks for


async def test_the_page_and_its_files(page: Page, visitor: Visitor):
    assert (await visitor.get("/"))[:2] == (200, "text/html")
    assert (await visitor.get("/ui/page.js"))[:2] == (200, "text/javascript")
    assert (await visitor.get("/ui/icon.svg"))[:2] == (200, "image/svg+xml")
    for path in ("/ui/page.html", "/ui/nothing", "/ui/..%2fstate.py", "/ui/", "/v1/nothing", "/state.py"):
        assert (await visitor.get(path))[0] == 404, path
    assert json.loads((await visitor.get("/v1/state"))[2]) == json.loads(json.dumps(as_json(page.flow.state)))


async def test_every_answer_has_the_headers(page: Page):
    cookie = await key(page)
    ways = [
        get("/", cookie),
        get("/"),
        get("/", host="x"),
        get("/v1/x", cookie),
        post("/v1/start", {}, cookie),
        get("/open/x"),
    ]
    for octets in ways:
        answer = await say(page, octets)
        head = answer.partition("\r\n\r\n")[0]
        for line in (
            "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cache-Control: no-store",
            "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Resource-Policy: same-origin",
        ):  # fmt: skip
            assert f"\r\n{line}" in head, (octets, line)
        policy = head.partition("Content-Security-Policy: ")[2].partition("\r\n")[0]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Access-Control" not in head
        assert "aiohttp" not in head


async def test_a_run_its_question_and_its_end(page: Page, visitor: Visitor):
    assert await visitor.post("redo", {"steps": ["speaker"]}) == (409, "no_result")
    assert await visitor.post("compare", {}) == (409, "no_result")
    assert await visitor.post("start", {"company": "several"}) == (204, "")
    await until(lambda: page.flow.state.question)
    assert await visitor.post("start", {"company": "alone"}) == (409, "running")
    assert await visitor.post("answer", {"question": 7, "answer": "yes"}) == (204, "")
    assert await visitor.post("answer", {"question": 6, "answer": "yes"}) == (409, "not_asked")
    assert await visitor.post("answer", {"question": 7, "answer": "go"}) == (409, "not_asked")
    assert await visitor.post("choose", {"kind": "speaker", "number": 1}) == (204, "")
    assert await visitor.post("choose", {"kind": "speaker", "number": 2}) == (409, "no_such_device")
    assert await visitor.post("stop", {}) == (204, "")
    await until(lambda: not page.running.on)
    told(page).ended("r1")
    assert await visitor.post("redo", {"steps": ["picture", "speaker"]}) == (204, "")
    assert await visitor.post("stop", {}) == (204, "")
    await until(lambda: not page.running.on)
    assert await visitor.post("compare", {}) == (204, "")
    wanted = [("several", ()), (7, "yes"), (6, "yes"), (7, "go"), ("speaker", 1), ("speaker", 2)]
    await until(lambda: told(page).asked == [*wanted, ("several", ("picture", "speaker")), "compare"])


async def test_a_defect_is_one_line_and_the_page_says_so(
    page: Page, visitor: Visitor, capsys: pytest.CaptureFixture[str]
):
    told(page).defect = RuntimeError("a secret")
    assert (await visitor.post("start", {"company": "alone"}))[0] == 204
    await until(lambda: page.flow.state.trouble == "broken")
    assert (page.flow.state.phase, page.flow.state.question) == ("start", None)
    told(page).answer = None  # type: ignore[assignment, method-assign]
    assert await visitor.post("answer", {"question": 1, "answer": "yes"}) == (500, "broken")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" at ")[0] for line in lines] == [
        "motesklar: a defect of the program, please report it: RuntimeError",
        "motesklar: a defect of the program, please report it: TypeError",
    ]


async def test_the_report(page: Page, visitor: Visitor):
    assert await visitor.get("/v1/report") == (409, "application/json", b'{"code": "no_result"}')
    told(page).ended("r1")
    number = code_of("r1")
    for lang, word in (("sv", "Referenskod"), ("en", "Reference")):
        found = await visitor.get(f"/v1/report?lang={lang}")
        assert found[:2] == (200, "text/plain")
        assert word in found[2].decode()
        assert number in found[2].decode()
    for query in ("lang=fi", "lang=", "lang=sv&lang=en", "x=1"):
        assert (await visitor.get(f"/v1/report?{query}"))[0] == 400
    status_, content, made = await visitor.get("/v1/report.pdf?lang=en")
    assert (status_, content, made[:5]) == (200, "application/pdf", b"%PDF-")


# ---- strictly read


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"[]", b"null", b"1", b'"alone"', b'{"company": "crowd"}', b'{"company": null}',
        b'{"company": ["alone"]}', b'{"company": "alone", "x": 1}', b'{"company": "alone", "company": "alone"}',
        b'{"company": "al\xf6ne"}', '{"company": "alone"}'.encode("utf-16"), b'\xef\xbb\xbf{"company": "alone"}',
        b'{"company": NaN}', b'{"company": "alone"} x', b"[" * 1000, b"1" * 1000, b'{"company": "alone"}' + b" " * 1024,
    ],
)  # fmt: skip
async def test_what_no_page_of_ours_sends(page: Page, raw: bytes):
    cookie = await key(page)
    answer = await say(page, post("/v1/start", raw, cookie, *SAME))
    assert (status(answer), code(answer)) == (400, "bad_request")
    assert told(page).asked == []


async def test_only_json_and_only_so_much(page: Page, monkeypatch: pytest.MonkeyPatch):
    cookie, body = await key(page), {"company": "alone"}
    for content in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        octets = post("/v1/start", body, cookie, *SAME).replace(b"application/json", content.encode())
        assert status(await say(page, octets)) == 400, content
    pieces = b"1000\r\n" + b" " * 4096 + b"\r\n0\r\n\r\n"
    octets = get("/v1/start", cookie, *SAME, "Origin: http://127.0.0.1:PORT", "Transfer-Encoding: chunked",
                 "Content-Type: application/json", method="POST")  # fmt: skip
    assert status(await say(page, octets + pieces)) == 400
    packed = post("/v1/start", body, cookie, *SAME, "Content-Encoding: gzip")
    assert status(await say(page, packed)) == 400
    monkeypatch.setattr("agent.ui.requests.BODY_S", 0.05)
    assert status(await say(page, post("/v1/start", body, cookie, *SAME)[:-5])) == 400  # the rest never comes
    for octets in (get("/" + "x" * 9000), get("/", "X: " + "y" * 9000), b"\x16\x03\x01\r\n\r\n"):
        assert status(await say(page, octets)) == 400
    assert told(page).asked == []
