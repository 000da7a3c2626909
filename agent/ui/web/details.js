// For IT support, folded: every measurement, and how the links did over the run.
import { h } from "./dom.js";
import { sign } from "./parts.js";
import { language, said, t } from "./words.js";

export function details(answer) {
  if (!answer.lines.length && !answer.values.length && !answer.courses.length) return null;
  return h("details", { key: "details", class: "card all" },
    h("summary", {}, t("details")),
    answer.courses.length ? h("h2", {}, t("courses")) : null,
    h("div", { class: "courses" }, answer.courses.map((course, i) => h("ms-course", {
      key: i, ".data": { course, all: answer.courses }, lang: language(),
    }))),
    answer.lines.length ? table(answer.lines) : null,
    answer.values.length ? others(answer.values) : null);
}

function table(lines) {
  const heads = ["what", "value", "limit", "means"];
  return h("table", { class: "lines" },
    h("caption", {}, t("lines")),
    h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, t(`line_${name}`))))),
    h("tbody", {}, lines.map((line, i) => h("tr", { key: i }, cells(line)))));
}

function others(values) {
  // What was measured beside what is judged.
  return h("details", { key: "values" }, h("summary", {}, t("values")),
    h("table", { class: "values" },
      h("caption", { class: "unseen" }, t("values")),
      h("thead", {}, h("tr", {}, ["what", "value", "source"].map((name) => h("th", { scope: "col" }, t(`line_${name}`))))),
      h("tbody", {}, values.map((value, i) => h("tr", { key: i },
        h("th", { scope: "row" }, said(value.what), " ", h("code", { lang: "en", translate: "no" }, value.name)),
        h("td", { class: "value" }, said(value.value)),
        h("td", { class: "source", "data-head": t("line_source") }, value.standard))))));
}

function cells(line) {
  const evidence = said(line.evidence), source = said(line.source);
  const original = line.source.sv === line.source.en; // names of documents
  return [
    h("th", { scope: "row" }, h("span", { class: "what" }, sign(line.level), h("span", {}, said(line.what),
      h("span", { class: "unseen" }, `, ${t(`level_${line.level}`)}`)))),
    h("td", { class: "value" }, said(line.value)),
    h("td", { class: "limit", "data-head": t("line_limit") }, said(line.limit)),
    h("td", {}, said(line.means),
      evidence ? h("p", { class: "quiet" }, h("b", {}, `${t("line_evidence")}: `), evidence) : null,
      source ? h("p", { class: "quiet" }, h("b", {}, `${t("line_source")}: `), h("span", original ? { lang: "en" } : {}, source)) : null),
  ];
}
