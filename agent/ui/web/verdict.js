// The answer, its one next action, and what belongs to handing over.
import { details } from "./details.js";
import { h } from "./dom.js";
import { button, icon, outward, place, sign } from "./parts.js";
import { trouble } from "./start.js";
import { finished } from "./steps.js";
import { language, list, said, t } from "./words.js";

export function verdict(c) {
  const answer = c.state.answer, kind = c.lost ? "lost" : c.refused || c.state.trouble;
  return h("section", { key: "verdict", class: "done" },
    kind ? trouble(kind) : null,
    answerCard(c, answer),
    h("section", { key: "help", class: "card help", "aria-labelledby": "help" }, handover(c, answer)),
    h("section", { key: "tested", "aria-labelledby": "tested" },
      h("h2", { id: "tested", class: "over" }, t("tested")), finished(c), untested(answer)),
    more(c, answer),
    details(answer));
}

function answerCard(c, answer) {
  const good = answer.level === "ready" || answer.level === "degraded";
  const portal = answer.portal || c.state.portal;
  const again = c.lost ? null : button(againWords(answer), good ? "plain" : "main", () => c.act.redo(answer.redo), busy(c));
  const go = portal ? outward(portal, good ? "button main" : "button plain") : null;
  return h("div", { key: "answer", class: "card answer", "data-level": answer.level },
    h("div", { class: "headline" }, sign(answer.level), place("h1", said(answer.headline))),
    said(answer.means) ? h("p", { class: "means" }, said(answer.means)) : null,
    h("div", { class: "next" }, h("h2", {}, t("next")), h("p", {}, said(answer.action)), calling(answer)),
    answer.sound_only ? h("p", { class: "offer" }, t("sound_only")) : null,
    answer.dial_in ? h("p", { class: "offer" }, icon("phone"), h("span", {}, said(answer.dial_in))) : null,
    h("div", { class: "answers" }, good ? [go, again] : [again, go]));
}

function calling(answer) {
  // Where support is to be called, the number is beside the word.
  const phone = answer.level === "not_ready" && answer.contacts.length ? answer.contacts[0].phone : "";
  return phone ? h("p", {}, number(phone, "number first")) : null;
}

function number(phone, style) {
  return h("a", { class: style, href: `tel:${phone.replace(/[^+\d]/g, "")}` }, icon("phone"), phone);
}

function busy(c) {
  return { "aria-disabled": c.busy ? "true" : null };
}

function againWords(answer) {
  if (!answer.redo.length) return t("again");
  const named = answer.redo.filter((name) => name !== "joining" || answer.redo.indexOf("connection") < 0); // it goes with it
  if (named.length > 3) return t("again_needed");
  return t("again_some", { what: list(named.map((name) => t(`redo_${name}`))) });
}

function handover(c, answer) {
  const [first, ...others] = answer.contacts;
  return [
    h("h2", { id: "help" }, t("help")),
    h("div", { class: "two" },
      h("div", {}, h("h3", {}, t("reference")), h("p", { class: "code" }, answer.reference),
        h("p", { class: "quiet" }, t("reference_more"))),
      first ? h("div", {}, h("h3", {}, t("call_first")), contact(first, true)) : null),
    others.length ? h("h3", {}, t("call_then")) : null,
    others.length ? h("ul", { class: "contacts" }, others.map((each, i) => h("li", { key: i }, contact(each, false)))) : null,
    c.lost ? null : h("div", { class: "answers" },
      h("ms-copy", { lang: language() }),
      h("a", { class: "button plain", href: `/v1/report.pdf?lang=${language()}`, download: true }, t("pdf"))),
  ];
}

function contact(who, first) {
  return [
    h("p", { class: "who" }, said(who.name)),
    who.phone ? h("p", {}, number(who.phone, first ? "number first" : "number")) : null,
    who.url ? h("p", {}, h("a", { href: who.url, target: "_blank", rel: "noopener noreferrer" }, t("contact_page"),
      h("span", { class: "unseen" }, ` ${t("new_tab")}`))) : null,
    !who.phone && !who.url ? h("p", { class: "quiet" }, t("no_number")) : null,
  ];
}

function untested(answer) {
  if (!answer.untested.length) return null;
  return h("div", { class: "note" }, h("h3", {}, t("untested")),
    h("ul", {}, answer.untested.map((what, i) => h("li", { key: i }, said(what)))));
}

function more(c, answer) {
  const several = c.state.links.filter((link) => link.tested || link.in_use || link.better).length > 1;
  if (c.lost || !(several || answer.redo.length)) return null;
  return h("div", { key: "also", class: "also" },
    several ? h("div", {}, button(t("compare"), "plain", c.act.compare, busy(c)), h("p", { class: "quiet" }, t("compare_more"))) : null,
    answer.redo.length ? h("div", {}, button(t("again_all"), "plain", c.act.anew)) : null);
}
