// The page: what the program tells becomes what is shown, and what the person presses becomes what it is asked to do.
import "./copy.js";
import "./course.js";
import { h, patch } from "./dom.js";
import { heard } from "./meter.js";
import { outward, shield } from "./parts.js";
import "./preview.js";
import { listen, post } from "./server.js";
import { start, trouble } from "./start.js";
import { current, DEVICE_OF, running } from "./steps.js";
import { tellOf } from "./told.js";
import { verdict } from "./verdict.js";
import { LANGUAGES, language, load, said, speak, t } from "./words.js";

const part = (id) => document.getElementById(id);
const REFUSED = { busy: "busy", broken: "broken" }; // of the other codes the state, which comes, says enough
const KEEPS = ["again", "play"]; // answers after which the same question comes once more
// What the page itself knows: `sent` and `played` are numbers and kinds of questions answered, `anew` shows the first
// question though there is an answer, `refused` is a code of something that was not done.
const c = { state: null, lost: false, silent: false, refused: "", sent: null, played: false, anew: false, busy: false, question: null, act: {} };
const asked = new URLSearchParams(location.search).get("lang");
let spoken = LANGUAGES.indexOf(asked) >= 0;
let before = { section: "", step: "" };

// ---- what is asked of the program

async function ask(path, body) {
  c.busy = true;
  c.refused = "";
  draw();
  const code = await post(path, body);
  c.busy = false;
  if (code === "gone") return draw(); // the events tell whether it has ended
  if (code === "no_session") c.lost = true;
  else if (code) c.refused = REFUSED[code] || "";
  draw();
  return code;
}

c.act = {
  start: (company) => c.busy || ask("/v1/start", { company }),
  stop: () => ask("/v1/stop"),
  compare: () => c.busy || ask("/v1/compare"),
  redo: (steps) => c.busy || (steps.length ? ask("/v1/redo", { steps }) : ask("/v1/start", { company: c.state.company || "alone" })),
  anew: () => show(true),
  back: () => show(false),
  answer: async (question, answer) => {
    if (c.sent === question.number) return;
    c.sent = question.number;
    c.kept = KEEPS.indexOf(answer) >= 0 && answer + question.kind !== "againown_voice" ? question : null;
    if (answer === "play") c.played = true;
    else if (question.kind === "own_voice") c.played = false;
    if (await ask("/v1/answer", { question: question.number, answer })) {
      c.sent = null; // it did not arrive: it can be pressed again
      draw();
    }
  },
  choose: async (device) => {
    const failed = await ask("/v1/choose", { kind: device.kind, number: device.number });
    const step = Object.keys(DEVICE_OF).find((name) => DEVICE_OF[name] === device.kind);
    if (!failed && c.state.phase !== "running") await ask("/v1/redo", { steps: [step] });
  },
};

function show(anew) {
  c.anew = anew;
  draw();
}

// ---- what is shown

function view() {
  const state = c.state, answered = state.phase === "done" && state.answer;
  if (c.lost && !answered) return h("section", { key: "lost" }, trouble("lost", "h1"));
  if (state.phase === "running") return running(c);
  return answered && !c.anew ? verdict(c) : start(c);
}

function draw() {
  if (!c.state) return;
  if (c.state.phase === "running") c.anew = false;
  const open = current(c.state);
  if (c.state.question) c.kept = c.sent === c.state.question.number ? c.kept : null;
  else if (c.kept && (!open || open.name !== c.kept.step)) c.kept = null;
  c.question = c.state.question || c.kept || null;
  const main = part("main"), had = document.activeElement, held = had.hasAttribute("data-place");
  patch(main, [...(c.silent ? [h("div", { key: "silent" }, trouble("silent"))] : []), view()]);
  main.dataset.revision = c.state.revision;
  refocus(main, had, held);
  around();
  tellOf(c.state, c.lost ? "lost" : c.silent ? "silent" : c.refused || c.state.trouble);
}

function refocus(main, had, held) {
  // The focus is moved only when what had it is gone, or was the heading of a step that is over (`held`).
  const now = main.querySelector("[data-place]"), section = main.lastChild.key, step = now ? now.key : "";
  const gone = had !== document.body && !had.isConnected;
  if (now && (gone || (held && had !== now))) now.focus({ preventScroll: true });
  if (before.section && section !== before.section) window.scrollTo(0, 0);
  else if (now && step !== before.step) now.closest(".card, section").scrollIntoView({ block: "nearest" });
  before = { section, step };
}

function around() {
  // Above and below: the languages, "nothing is recorded", and the way to the meeting.
  const { state } = c, portal = state.portal || (state.answer && state.answer.portal);
  patch(part("languages"), LANGUAGES.map((name) => h("button", {
    key: name, type: "button", lang: name, "aria-pressed": name === language() ? "true" : "false", onclick: () => turn(name),
  }, t(`language_${name}`))));
  if (part("languages").getAttribute("aria-label") !== t("languages")) part("languages").setAttribute("aria-label", t("languages"));
  const way = portal ? outward(portal, "button plain small") : h("span", { class: "quiet" }, t("go_any"));
  patch(part("foot"), [
    h("p", { class: "private" }, shield(), h("strong", {}, t("private")), h("span", { class: "more" }, t("private_more"))), way,
  ]);
  const link = part("foot").querySelector("[data-meeting]");
  if (link) link.onclick = leave;
  document.title = `${title()} – Mötesklar`;
}

function title() {
  const { state } = c;
  if (c.lost || c.silent) return t(c.lost ? "trouble_lost" : "trouble_silent");
  if (state.phase === "running") return t("running");
  return state.phase === "done" && state.answer && !c.anew ? said(state.answer.headline) : t("heading");
}

function leave() {
  // The meeting needs the camera and the microphone: the test lets go of them.
  if (c.state.phase === "running") ask("/v1/stop");
}

function turn(name) {
  spoken = true;
  speak(name);
  history.replaceState(null, "", `?lang=${name}`);
  draw();
}

// ---- from the beginning

async function begin() {
  await load();
  speak(asked || "sv");
  listen({
    state: (state) => {
      if (c.state && state.revision !== c.state.revision) c.refused = "";
      c.state = state;
      if (!spoken) speak(state.lang);
      draw();
    },
    level: heard,
    silent: (silent) => {
      c.silent = silent;
      if (c.state) draw();
      else part("unreached").hidden = !silent;
      if (silent && c.state) part("main").firstChild.scrollIntoView({ block: "nearest" });
    },
    lost: () => {
      [c.lost, c.silent] = [true, false];
      if (c.state) draw();
      else part("unreached").hidden = false;
    },
  });
}

window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
begin().catch(() => { part("unreached").hidden = false; });
