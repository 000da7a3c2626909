// <ms-copy>: the report onto the clipboard; where the browser does not let it, to be marked and copied by hand.
import { h, patch } from "./dom.js";
import { tell } from "./told.js";
import { t } from "./words.js";

const PATIENCE_MS = 8000;

class Copy extends HTMLElement {
  static get observedAttributes() { return ["lang"]; }

  connectedCallback() {
    this.now = "ready"; // "copied", "by_hand", "failed"
    this.draw();
  }

  attributeChangedCallback(_, before, after) {
    if (!this.now || before === after) return;
    this.now = "ready"; // the report is in the other language now
    this.draw();
  }

  draw() {
    patch(this, [
      h("button", { type: "button", class: "plain", onclick: () => this.copy() }, t(this.now === "copied" ? "copied" : "copy")),
      this.now === "failed" ? h("p", { class: "quiet" }, t("copy_failed")) : null,
      this.now === "by_hand" ? h("label", { class: "by-hand" }, t("copy_by_hand"),
        h("textarea", { readonly: true, rows: 8, ".value": this.text })) : null,
    ].filter(Boolean));
    const area = this.querySelector("textarea");
    if (area) area.select();
  }

  async copy() {
    try {
      this.text = await report(this.lang);
      this.now = (await written(this.text)) ? "copied" : "by_hand";
    } catch (_) {
      this.now = "failed";
    }
    this.draw();
    tell(t({ copied: "copied_told", by_hand: "copy_by_hand", failed: "copy_failed" }[this.now]));
  }
}

async function report(lang) {
  const giveUp = new AbortController(), timer = setTimeout(() => giveUp.abort(), PATIENCE_MS);
  try {
    const response = await fetch(`/v1/report?lang=${lang}`, { cache: "no-store", signal: giveUp.signal });
    if (!response.ok) throw new Error(String(response.status));
    return await response.text();
  } finally {
    clearTimeout(timer);
  }
}

async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (_) {
    return byCommand(text);
  }
}

function byCommand(text) {
  // The old way, for browsers and policies that do not know, or forbid, the new one.
  const area = document.createElement("textarea"), before = document.activeElement;
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch (_) {
    done = false;
  }
  area.remove();
  if (before) before.focus();
  return done;
}

customElements.define("ms-copy", Copy);
