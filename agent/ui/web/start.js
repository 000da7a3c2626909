// Before a test: the one question, and what went wrong last time, if something did.
import { h } from "./dom.js";
import { button, icon, place } from "./parts.js";
import { t } from "./words.js";

const TROUBLES = ["stopped", "busy", "broken", "silent", "lost"];

export function start(c) {
  const kind = c.refused || c.state.trouble;
  return h("section", { key: "start", class: "start" },
    kind ? trouble(kind) : null,
    c.state.title && c.state.portal ? h("p", { class: "service" }, c.state.title) : null,
    place("h1", t("heading")),
    h("p", { class: "lead" }, t("lead")),
    h("div", { role: "group", "aria-labelledby": "company", class: "ask" },
      h("h2", { id: "company" }, t("company")),
      h("div", { class: "choices" },
        choice(c, "alone", "person"),
        choice(c, "several", "people")),
      h("p", { class: "quiet" }, t("company_more"))),
    c.anew ? button(t("back"), "plain", c.act.back) : null);
}

function choice(c, company, picture) {
  return h("button", { type: "button", class: "choice", onclick: () => c.act.start(company), "aria-disabled": c.busy ? "true" : null },
    icon(picture), h("span", {}, t(`company_${company}`)));
}

export function trouble(kind, tag = "h2") {
  // One card: what has happened, and what to do.
  const known = TROUBLES.indexOf(kind) >= 0 ? kind : "broken";
  return h("div", { key: "trouble", class: `card trouble ${known}` },
    h("span", { class: "sign", "data-level": known === "stopped" ? "unknown" : "degraded", "aria-hidden": "true" }, "!"),
    h("div", {},
      tag === "h1" ? place("h1", t(`trouble_${known}`)) : h("h2", {}, t(`trouble_${known}`)),
      h("p", {}, t(`trouble_${known}_do`))));
}
