// While the test goes on: the steps, of which the one that goes on is open.
import { asking } from "./asking.js";
import { devices } from "./devices.js";
import { h } from "./dom.js";
import { button, place, results, sign, worst } from "./parts.js";
import { known, said, t } from "./words.js";

export const DEVICE_OF = { speaker: "speaker", microphone: "microphone", picture: "camera" };
const UNTIMED = ["looking", "playing_back"]; // `what` that has no part in a step's usual time

export function current(state) {
  // The step that is open, or null.
  return state.steps.find((step) => step.doing === "asking") || state.steps.find((step) => step.doing === "running") || null;
}

export function running(c) {
  const open = current(c.state), at = open ? c.state.steps.indexOf(open) + 1 : 0;
  return h("section", { key: "running", class: "running" },
    h("div", { class: "head" },
      open ? h("h1", {}, t("running")) : place("h1", t("running")),
      button(t("stop"), "plain small", c.act.stop)),
    h("ol", { class: "steps" }, c.state.steps.map((step, i) => h("li", { key: step.name },
      step === open ? card(c, step, at) : over(step) ? line(c, step) : waiting(c, step, i + 1)))));
}

export function finished(c) {
  // The same after the test, all folded.
  return h("ol", { class: "steps" }, c.state.steps.filter(over).map((step) => h("li", { key: step.name }, line(c, step, "h3"))));
}

function over(step) {
  return step.doing === "done" || step.doing === "skipped";
}

// ---- the open one

function card(c, step, at) {
  const title = heading(c, step);
  return h("div", { class: "card step open", "aria-current": "step" },
    h("p", { class: "where" }, t("step_of", { at, of: c.state.steps.length }), h("span", { "aria-hidden": "true" }, " · "),
      h("span", { class: "name" }, t(`step_${step.name}`))),
    place("h2", title, { key: `of ${step.name}` }),
    bar(c, step),
    asking(c, step),
    step.name === "connection" ? links(c.state.links) : null,
    shownAbove(c, step) ? null : results(step.results),
    DEVICE_OF[step.name] ? devices(c, DEVICE_OF[step.name]) : null);
}

function shownAbove(c, step) {
  // The picture's hints stand beside it, one at a time; what was heard stands above the buttons that play it.
  return step.name === "picture" || (c.question && c.question.step === step.name && c.question.kind === "own_voice");
}

export function heading(c, step) {
  // The question when there is one, else what goes on.
  if (c.question && c.question.step === step.name) return t(`ask_${c.question.kind}`);
  const key = `what_${step.what}`;
  return step.what && known(key) ? t(key) : t(`doing_${step.name}`);
}

function bar(c, step) {
  if (step.doing !== "running") return null;
  const part = typeof step.fraction === "number" ? Math.min(1, Math.max(0, step.fraction)) : null;
  const left = Math.max(1, Math.ceil(step.seconds * (1 - (part || 0))));
  return h("div", { class: "bar" },
    h("progress", { max: 100, value: part === null ? null : Math.round(part * 100), "aria-label": t(`step_${step.name}`) }),
    UNTIMED.indexOf(step.what) >= 0 ? null
      : h("p", { class: "quiet" }, left === 1 ? t("about_one_second") : t("about_seconds", { seconds: left })));
}

// ---- the others

function waiting(c, step, number) {
  const found = step.name === "connection" ? links(c.state.links) : null;
  return h("div", { class: "step waiting" },
    h("div", { class: "line" },
      h("span", { class: "sign", "data-level": "waiting", "aria-hidden": "true" }, number),
      h("h2", { class: "name" }, t(`step_${step.name}`)),
      h("span", { class: "quiet" }, t(step.doing === "running" ? "under_way" : "waiting"))),
    found, results(step.results));
}

function line(c, step, tag = "h2") {
  const level = step.doing === "skipped" ? "skipped" : step.level || worst(step.results.map((r) => r.level)) || "unknown";
  const first = step.results.find((result) => result.level === step.level) || step.results[0];
  const rest = step.results.filter((result) => result !== first);
  const head = [
    sign(level),
    h("div", { class: "text" },
      h(tag, { class: "name" }, t(`step_${step.name}`), h("span", { class: "unseen" }, ":")), " ",
      h("span", { class: "level", "data-level": level }, t(level === "skipped" ? "skipped" : `level_${level}`)), " ",
      first ? h("span", { class: "says" }, said(first.says)) : null),
  ];
  const more = [
    step.name === "connection" ? links(c.state.links) : null,
    results(rest),
    DEVICE_OF[step.name] && !c.lost ? devices(c, DEVICE_OF[step.name]) : null,
  ].filter(Boolean);
  if (!more.length) return h("div", { class: "step over" }, h("div", { class: "line" }, head));
  return h("details", { class: "step over" }, h("summary", { class: "line" }, head), more);
}

export function links(found) {
  // Which way out is used, and a better one that is there.
  const shown = found.filter((link) => link.in_use || link.better || link.tested);
  if (!shown.length) return null;
  return h("ul", { class: "links" }, shown.map((link, i) => h("li", { key: i, class: link.better ? "better" : "" },
    h("span", { class: "use" }, t(link.better ? "link_better" : link.in_use ? "link_in_use" : "link_other")),
    h("span", {}, said(link.says)))));
}
