// What a screen reader says by itself: each result and each question once, politely, and nothing while the microphone
// listens, lest it hear the screen reader.
import { said, t } from "./words.js";

const KEPT = 3; // sentences that stay, to be read again
const HINT_MS = 4000; // between two hints about the picture
const SILENT = ["playing", "speak_now", "listening", "playing_back"];
const before = { steps: {}, question: null, answer: "", trouble: "", hint: "", hintAt: 0 };
let waiting = [], first = true;

export function tell(sentence) {
  const region = document.getElementById("told"), line = document.createElement("p");
  line.textContent = sentence;
  region.append(line);
  while (region.children.length > KEPT) region.firstChild.remove();
}

export function tellOf(state, trouble) {
  // What is new in the state. What was there when the page came up is read on the page itself.
  const found = [...steps(state), ...hints(state), ...question(state), ...ending(state, trouble)];
  if (!first) waiting = waiting.concat(found);
  first = false;
  const hangs = trouble === "lost" || trouble === "silent"; // then nothing listens any more, whatever the state says
  if (!hangs && state.phase === "running" && state.steps.some((step) => step.doing === "running" && SILENT.indexOf(step.what) >= 0)) return;
  for (const sentence of waiting) tell(sentence);
  waiting = [];
}

function steps(state) {
  const found = [];
  for (const step of state.steps) {
    const over = step.doing === "done" || step.doing === "skipped";
    const result = step.results.find((r) => r.level === step.level) || step.results[0];
    if (over && before.steps[step.name] !== true && state.phase === "running") {
      const level = t(step.doing === "skipped" ? "skipped" : `level_${step.level || "unknown"}`);
      found.push(`${t(`step_${step.name}`)}: ${level}. ${result ? said(result.says) : ""}`.trim());
    }
    before.steps[step.name] = over;
  }
  return found;
}

function hints(state) {
  const step = state.steps.find((each) => each.name === "picture" && each.doing === "asking");
  const hint = step && step.results.find((r) => r.level && r.level !== "ready");
  const text = hint ? said(hint.says) : "", now = performance.now();
  if (!text || text === before.hint || now - before.hintAt < HINT_MS) return [];
  [before.hint, before.hintAt] = [text, now];
  return [text];
}

function question(state) {
  const number = state.question ? state.question.number : null;
  if (number === before.question) return [];
  before.question = number;
  if (number === null) return [];
  const kind = state.question.kind;
  return [kind === "speak" ? `${t("ask_speak")}: ${t("sentence")}` : t(`ask_${kind}`)];
}

function ending(state, trouble) {
  const found = [], answer = state.phase === "done" && state.answer ? state.answer.reference : "";
  if (before.trouble === "silent" && !trouble) found.push(t("answers_again"));
  if (trouble && trouble !== before.trouble) found.push(`${t(`trouble_${trouble}`)} ${t(`trouble_${trouble}_do`)}`);
  if (answer && answer !== before.answer) {
    found.push([state.answer.headline, state.answer.means, state.answer.action].map(said).filter(Boolean).join(". ").replace(/([.…!?])\. /g, "$1 "));
  }
  [before.answer, before.trouble] = [answer, trouble];
  return found;
}
