// What the open step asks of the person: to listen, to read aloud, to look at themselves.
import { h } from "./dom.js";
import { button, icon, results, sign } from "./parts.js";
import { language, said, t } from "./words.js";

const READING = ["speak_now", "listening"]; // `what` while the microphone is open

export function asking(c, step) {
  const asked = c.question && c.question.step === step.name ? c.question : null;
  const kind = asked ? asked.kind : "";
  const reading = step.name === "microphone" && step.doing === "running" && READING.indexOf(step.what) >= 0;
  return [
    kind && kind !== "picture" ? h("p", { key: "how", class: "how" }, t(`ask_${kind}_how`)) : null,
    kind === "speak" || reading ? sentence(reading) : null,
    reading ? h("ms-meter", { lang: language() }) : null,
    step.name === "picture" ? preview(step) : null,
    kind === "own_voice" ? results(step.results) : null, // what was heard, before it can be played
    asked ? answers(c, asked, step) : null,
  ];
}

function sentence(now) {
  return h("blockquote", { class: now ? "sentence now" : "sentence" }, h("p", {}, t("sentence")));
}

function preview(step) {
  // One hint: the worst of what was seen.
  const bad = step.results.find((result) => result.level && result.level !== "ready");
  const hint = bad || step.results.find((result) => result.level === "ready");
  return h("div", { key: "preview", class: "look" },
    h("ms-preview", { lang: language() }),
    hint ? h("p", { class: "hint", "data-level": hint.level }, sign(hint.level), h("span", {}, said(hint.says))) : null);
}

function answers(c, asked, step) {
  // They stay where they are: what is pressed twice shall not hit another.
  const first = firstOf(c, asked, step), off = c.sent === asked.number ? "true" : null;
  return h("div", { key: "answers", class: "answers" }, asked.answers.map((answer) => button(
    [answer === "play" ? icon("play") : null, t(`answer_${asked.kind}_${answer}`)],
    answer === first ? "main" : "plain",
    () => c.act.answer(asked, answer),
    { key: `${asked.kind} ${answer}`, "aria-disabled": off })));
}

function firstOf(c, asked, step) {
  // The one that leads on. One's own voice is to be heard before that, and read anew where there is none to hear.
  const bad = step.results.some((result) => result.level === "not_ready");
  if (asked.kind === "own_voice" && bad && asked.answers.indexOf("again") >= 0) return "again";
  if (asked.kind === "own_voice") return c.played || asked.answers.indexOf("play") < 0 ? "next" : "play";
  return asked.answers[0];
}
