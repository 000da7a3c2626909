// Small things that several views are made of.
import { h } from "./dom.js";
import { said, t } from "./words.js";

const SIGNS = { ready: "✓", degraded: "!", not_ready: "✕", unknown: "?", skipped: "–" };
const WORST = ["not_ready", "degraded", "unknown", "ready"];
const ICONS = {
  person: ["M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z", "M3.5 21c.4-4.6 3.9-7 8.5-7s8.1 2.4 8.5 7z"],
  people: [
    "M8.5 11.500a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.600z", "M1 20c.3-4 3.3-6.5 7.5-6.500S15.7 16 16 20z",
    "M16.5 11.500a3.3 3.3 0 1 0-1.6-6.2 5.8 5.8 0 0 1-.7 5.3 3.3 3.3 0 0 0 2.3.9z",
    "M18 20h5c-.2-3.9-2.6-6.2-6.2-6.2-.5 0-1 0-1.5.2 1.7 1.5 2.6 3.5 2.7 6z",
  ],
  play: ["M7 4.500v15l12-7.500z"],
  out: ["M14 3h7v7h-2.400V7.100l-8.3 8.3-1.7-1.700L16.9 5.400H14z", "M5 5h5v2.400H6.400v10.200h10.200V14H19v6H4V5z"],
  phone: ["M6.6 2.5 10 6.8 8.3 9.600c1 2.2 2.7 3.9 5 5l2.8-1.7 4.4 3.4-1 4c-9 1.6-18-7.4-16.9-16.800z"],
};

export function worst(levels) {
  return WORST.find((level) => levels.indexOf(level) >= 0) || null;
}

export function sign(level) {
  // Hidden from screen readers: the words stand beside it.
  return h("span", { class: "sign", "data-level": level, "aria-hidden": "true" }, SIGNS[level] || "");
}

export function icon(name) {
  const paths = ICONS[name].map((d) => h("path", { d }));
  return h("svg", { class: "icon", viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true", focusable: "false" }, paths);
}

export function shield() {
  return h("svg", { class: "shield", viewBox: "0 0 24 24", width: 22, height: 22, "aria-hidden": "true", focusable: "false" },
    h("path", { d: "M12 2 4 5v6c0 5 3.4 9.3 8 11 4.6-1.7 8-6 8-11V5z" }),
    h("path", { class: "tick", d: "m8.3 12 2.6 2.6 4.8-5.2" }));
}

export function button(words, style, does, more) {
  return h("button", { type: "button", class: style, onclick: does, ...more }, words);
}

export function results(found) {
  // What a step has shown: sign, colour and words each.
  if (!found.length) return null;
  return h("ul", { class: "results" }, found.map((result, i) => h("li", { key: i, "data-level": result.level || "none" },
    result.level ? sign(result.level) : h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", {},
      result.level ? h("span", { class: "unseen" }, `${t(`level_${result.level}`)}: `) : null,
      said(result.says)))));
}

export function place(tag, words, props) {
  // The heading that the keyboard's focus goes to when what had it is gone.
  return h(tag, { ...props, tabindex: "-1", "data-place": true }, words);
}

export function outward(address, style) {
  // To the meeting's own page, in a tab of its own: the answer stays.
  return h("a", { class: style, href: address, target: "_blank", rel: "noopener noreferrer", "data-meeting": true },
    h("span", {}, t("go_meeting"), h("span", { class: "unseen" }, ` ${t("new_tab")}`)), icon("out"));
}
