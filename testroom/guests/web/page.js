// The page: what is shown when, in which words, and where the keyboard's focus goes.
import { Call } from "./call.js";
import { check, open, Trouble } from "./devices.js";
import { ask, asJson } from "./room.js";

const SESSION_MS = 8000, RECORD_MS = 10000;
const SIGNS = { ready: "✓", degraded: "!", not_ready: "✕", unknown: "?" };
const LEVELS = { ready: "level_ready", degraded: "level_degraded", not_ready: "level_not_ready", unknown: "level_unknown" };
const TROUBLES = {
  denied: ["denied_title", "denied_do"], dismissed: ["dismissed_title", "dismissed_do"], system: ["system_title", "system_do"],
  missing: ["missing_title", "missing_do"], busy: ["busy_title", "busy_do"], constrained: ["constrained_title", "constrained_do"],
  failed: ["failed_title", "failed_do"], insecure: ["insecure_title", "insecure_do"], old: ["old_title", "old_do"],
  offline: ["offline_title", "offline_do"], broken: ["broken_title", "broken_do"], full: ["full_title", "full_do"],
  often: ["often_title", "often_do"], off: ["off_title", "off_do"], expired: ["expired_title", "expired_do"],
  defect: ["defect_title", "defect_do"],
};
const NOTES = {
  camera: {
    denied: ["camera", "camera_denied_says", "camera_denied_do"], missing: ["camera", "camera_missing_says", "camera_missing_do"],
    busy: ["camera", "camera_busy_says", "camera_busy_do"], failed: ["camera", "camera_failed_says", "camera_failed_do"],
  },
  microphone: {
    denied: ["microphone", "microphone_denied_says", "microphone_denied_do"],
    missing: ["microphone", "microphone_missing_says", "microphone_missing_do"],
    busy: ["microphone", "microphone_busy_says", "microphone_busy_do"],
    failed: ["microphone", "microphone_failed_says", "microphone_failed_do"],
  },
};

const part = (id) => document.getElementById(id);
const texts = {};
let lang = document.documentElement.lang;
let shown = { section: "start" };
let call, devices, running = false;
// Whose guest: /test#org=KEY, from a link that an organisation gave out. No secret; a wrong one does no harm.
const guestKey = (/^#org=([a-z0-9-]{4,40})$/.exec(location.hash) || [])[1];

function t(key, values) {
  const sentence = texts[lang][key];
  return values ? sentence.replace(/{(\w+)}/g, (_, name) => values[name]) : sentence;
}

// ---- what is shown

function show(state, announce) {
  // One of the four sections. Focus goes to its heading, so that it is read and the keyboard goes on from there.
  const moved = state.section !== shown.section || announce;
  shown = state;
  for (const id of ["start", "running", "trouble", "verdict"]) part(id).hidden = id !== state.section;
  render();
  const heading = { running: "step", trouble: "trouble-title", verdict: "headline", start: "go" }[state.section];
  if (moved) {
    part(heading).focus();
    part(state.section).scrollIntoView({ block: "nearest" });
  }
}

function render() {
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  document.title = t("title");
  part("kept").hidden = !guestKey;
  if (shown.section === "running") renderRunning();
  if (shown.section === "trouble") renderTrouble();
  if (shown.section === "verdict") renderVerdict();
}

function renderRunning() {
  part("step").textContent = t(shown.step);
  if (devices && devices.camera !== "ok") document.querySelector("#returned + .empty").textContent = t("no_picture");
  const notes = ["camera", "microphone"].map((device) => devices && NOTES[device][devices[device]]).filter(Boolean);
  part("notes").replaceChildren(...notes.map((keys) => {
    const note = make("div", "note");
    note.append(make("p", "", `${t(keys[0])}: ${t(keys[1])}. ${t(keys[2])}`));
    return note;
  }));
}

function renderTrouble() {
  const keys = TROUBLES[shown.kind] || TROUBLES.defect;
  part("trouble").dataset.level = "unknown";
  part("trouble-title").textContent = t(keys[0]);
  part("trouble-do").textContent = t(keys[1], { seconds: Math.ceil(shown.seconds || 10) });
}

function renderVerdict() {
  const { level, reference } = shown.verdict, words = shown.verdict.words[lang];
  part("verdict").dataset.level = level;
  part("sign").textContent = SIGNS[level];
  part("headline").textContent = words.headline;
  part("means").textContent = words.means;
  part("action").textContent = words.action;
  part("code").textContent = reference;
  part("code-more").textContent = t(shown.verdict.stored ? "reference_stored" : "reference_more");
  part("findings").replaceChildren(...words.findings.map(row));
}

function row(finding) {
  const line = make("li"), mark = make("span", "mark", SIGNS[finding.level]);
  line.dataset.level = finding.level;
  mark.setAttribute("aria-hidden", "true");
  line.append(mark, make("span", "", finding.what), make("span", "value", finding.value));
  const level = t(LEVELS[finding.level]), judged = finding.limit ? `${level} (${finding.limit}).` : `${level}.`;
  line.append(make("p", "more", finding.means ? `${judged} ${finding.means}` : judged));
  return line;
}

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

function step(key, percent) {
  // The heading changes, the bar jumps or creeps, and a screen reader hears the step's name once.
  shown.step = key;
  part("step").textContent = part("told").textContent = t(key);
  part("progress").value = percent;
}

// ---- the test

async function test() {
  if (running) return;
  running = true;
  devices = undefined;
  show({ section: "running", step: "step_devices" }, true);
  part("progress").value = 5;
  ["mine", "returned"].forEach(noPicture);
  let next;
  try {
    next = { section: "verdict", verdict: await measured() };
  } catch (error) {
    next = troubled(error);
  }
  stopDevices();
  running = false;
  part("told").textContent = next.section === "start" ? t("stopped") : "";
  show(next, true);
}

async function measured() {
  check();
  devices = await open();
  render();
  if (!running) throw new Trouble("stopped");
  picture("mine", devices.stream);
  step("step_connecting", 15);
  const asked = Date.now();
  const session = await ask("/v1/guest-sessions", asJson({}), SESSION_MS);
  const skew = (asked + Date.now()) / 2000 - session.server_time;
  call = new Call(devices, session, { returned: (stream) => picture("returned", stream), measuring });
  const record = await call.record();
  record.values.clock_skew_seconds = skew;
  step("step_judging", 95);
  return ask("/v1/records", asJson(record, session.id, guestKey), RECORD_MS);
}

function measuring(ms) {
  step("step_measuring", 25);
  const began = performance.now(), of = call;
  const creep = () => {
    if (of.over || !running) return;
    part("progress").value = Math.min(93, 25 + 68 * (performance.now() - began) / ms);
    setTimeout(creep, 250);
  };
  creep();
}

function troubled(error) {
  const kind = error instanceof Trouble ? error.kind : "defect";
  if (kind === "stopped") return { section: "start" };
  const begun = call && call.values.call_setup_seconds !== undefined;
  return { section: "trouble", kind: kind === "offline" && begun ? "broken" : kind, seconds: error.seconds };
}

function picture(id, stream) {
  const video = part(id);
  if (video.srcObject !== stream) video.srcObject = stream;
  if (stream.getVideoTracks().length) video.onloadeddata = () => video.classList.remove("none");
  video.play().catch(() => {});
}

function noPicture(id) {
  part(id).srcObject = null;
  part(id).classList.add("none");
}

function stopDevices() {
  if (devices) devices.stream.getTracks().forEach((track) => track.stop());
  if (call) call.close();
  call = undefined;
  ["mine", "returned"].forEach(noPicture);
}

function stop() {
  if (call) call.close();
  else if (running) location.reload(); // the browser's own question is still open: only that takes it back
}

// ---- the language

async function load(name) {
  if (!texts[name]) texts[name] = await ask(`/test/texts.${name}.json`, {}, SESSION_MS);
}

async function speak(name) {
  await load(name);
  lang = document.documentElement.lang = name;
  for (const link of document.querySelectorAll("[data-lang]")) {
    if (link.dataset.lang === name) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  history.replaceState(null, "", `?lang=${name}${location.hash}`);
  render();
}

async function begin() {
  try {
    await load(lang);
  } catch (_) {
    return; // without its texts it would be mute: the next reload may have them
  }
  for (const link of document.querySelectorAll("[data-lang]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      speak(link.dataset.lang).catch(() => { location.href = link.href + location.hash; });
    });
  }
  part("go").hidden = false;
  part("go").addEventListener("click", test);
  part("stop").addEventListener("click", stop);
  for (const button of document.querySelectorAll(".again")) button.addEventListener("click", test);
  window.addEventListener("pagehide", () => { if (call) call.close(); });
  try {
    check();
  } catch (error) {
    show(troubled(error), true);
  }
}

begin();
