// <ms-meter>: how loud the microphone hears, ten times a second as a bar, and in words that change rarely.
import { h, patch } from "./dom.js";
import { t } from "./words.js";

const BARS = 24;
const HOLD_MS = 900; // so long a word must be true before it is said
const [FAINT, WEAK, LOUD] = [0.18, 0.4, 0.93]; // of 0 (-60 dBFS) to 1 (full scale)
const shown = new Set();

export function heard(level) {
  for (const meter of shown) meter.level(level);
}

class Meter extends HTMLElement {
  static get observedAttributes() { return ["lang"]; }

  connectedCallback() {
    shown.add(this);
    this.best = 0;
    this.word = "silent";
    this.next = { word: "silent", since: 0 };
    this.draw();
    this.level(0);
  }

  disconnectedCallback() { shown.delete(this); }

  attributeChangedCallback() { if (this.word) this.draw(); }

  draw() {
    const bars = Array.from({ length: BARS }, (_, i) => h("span", { key: i, class: i >= BARS * LOUD ? "loud" : "" }));
    patch(this, [
      h("div", {
        role: "meter", "aria-label": t("meter"), "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": this.percent || 0,
        "aria-valuetext": t(`meter_${this.word}`), class: "bars",
      }, bars),
      h("p", { class: "word" }, t(`meter_${this.word}`)),
    ]);
  }

  level(value) {
    const lit = Math.round(value * BARS);
    this.best = Math.max(value, this.best * 0.93); // between the words of a sentence it is silent
    Array.from(this.querySelectorAll(".bars span")).forEach((bar, i) => bar.classList.toggle("lit", i < lit));
    this.say(this.best < FAINT ? "silent" : this.best < WEAK ? "weak" : this.best > LOUD ? "loud" : "good");
  }

  say(word) {
    const now = performance.now();
    if (word !== this.next.word) this.next = { word, since: now };
    if (word === this.word || now - this.next.since < HOLD_MS) return;
    this.word = word;
    this.percent = Math.round(this.best * 100);
    this.draw();
  }
}

customElements.define("ms-meter", Meter);
