// Which microphone, speaker or camera is used, and the others, each one press away.
import { h } from "./dom.js";
import { button } from "./parts.js";
import { t } from "./words.js";

const SHOWN = 3; // others than that are folded

export function devices(c, kind) {
  const all = c.state.devices.filter((device) => device.kind === kind);
  if (!all.length) return null;
  const chosen = all.find((device) => device.chosen);
  const others = all.filter((device) => device !== chosen).sort((a, b) => rank(a) - rank(b));
  return h("div", { class: "devices" },
    h("p", { class: "used" }, h("span", { class: "quiet" }, `${t("in_use")}: `),
      h("strong", {}, chosen ? chosen.name : t("none_chosen"))),
    others.length ? h("h3", { class: "quiet" }, t(`other_${kind}`)) : null,
    others.length ? h("ul", {}, others.slice(0, SHOWN).map((device) => row(c, device))) : null,
    others.length > SHOWN ? h("details", { class: "rest" },
      h("summary", {}, t("more_devices", { count: others.length - SHOWN })),
      h("ul", {}, others.slice(SHOWN).map((device) => row(c, device)))) : null);
}

function rank(device) {
  return device.suggested ? 0 : device.form === "virtual" ? 2 : 1;
}

function row(c, device) {
  const form = t(`form_${device.form}`);
  const words = [
    h("span", { class: "use" }, t("use"), " "),
    h("span", { class: "what" }, device.name, form ? h("span", { class: "quiet" }, ` (${form})`) : null),
    device.suggested ? h("span", { class: "tip" }, t(`suggested_${device.kind}`)) : null,
  ];
  return h("li", { key: device.number },
    button(words, `device${device.suggested ? " suggested" : ""}`, () => c.act.choose(device)));
}
