// <ms-course>: round-trip time and loss of one link over the run, drawn, and the same as a sentence and a table.
import { h, patch } from "./dom.js";
import { number, percent, said, t } from "./words.js";

const WIDTH = 300, HEIGHT = 90; // of the drawing's own units; it stretches
const LEAST_MS = 50; // so that a good link looks calm

class Course extends HTMLElement {
  static get observedAttributes() { return ["lang"]; }

  set data(given) {
    const mark = JSON.stringify(given);
    if (mark === this.mark) return;
    [this.mark, this.given] = [mark, given];
    if (this.isConnected) this.draw();
  }

  connectedCallback() { this.draw(); }

  attributeChangedCallback() { if (this.isConnected) this.draw(); }

  draw() {
    if (!this.given) return;
    const { course, all } = this.given, scale = scaleOf(all);
    patch(this, [
      h("h3", {}, said(course.says)),
      h("p", { class: "quiet" }, summary(course.points)),
      h("div", { class: "chart", "aria-hidden": "true" },
        h("p", { class: "axis" }, h("span", {}, `${number(scale.ms, 0)} ms`), h("span", {}, percent(1))),
        drawing(course.points, scale),
        h("p", { class: "axis" }, h("span", {}, `0 s`), h("span", {}, `${number(scale.seconds, 0)} s`)),
        h("p", { class: "key" }, h("span", { class: "rtt" }, t("course_rtt")), h("span", { class: "loss" }, t("course_loss")))),
      h("details", {}, h("summary", {}, t("course_table")), table(course)),
    ]);
  }
}

function scaleOf(all) {
  // The links side by side stand on one scale.
  const points = all.reduce((list, course) => list.concat(course.points), []);
  const most = Math.max(LEAST_MS, ...points.map((p) => (p.rtt_seconds || 0) * 1000));
  const step = most > 500 ? 250 : most > 100 ? 100 : 50;
  return { ms: Math.ceil(most / step) * step, seconds: Math.max(1, ...points.map((p) => p.seconds + 0.5)) };
}

function drawing(points, scale) {
  const x = (seconds) => ((seconds / scale.seconds) * WIDTH).toFixed(1);
  const wide = Math.max(1, (0.5 / scale.seconds) * WIDTH - 0.5);
  const lost = points.filter((p) => p.loss_ratio > 0).map((p) => h("rect", {
    class: "loss", x: x(p.seconds), width: wide.toFixed(1), height: (p.loss_ratio * HEIGHT).toFixed(1),
    y: (HEIGHT - p.loss_ratio * HEIGHT).toFixed(1),
  }));
  const lines = runs(points).map((run) => h("polyline", {
    class: "rtt", points: run.map((p) => `${x(p.seconds + 0.25)},${(HEIGHT - (p.rtt_seconds * 1000 * HEIGHT) / scale.ms).toFixed(1)}`).join(" "),
  }));
  return h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", focusable: "false" },
    h("line", { class: "grid", x1: 0, x2: WIDTH, y1: 0.5, y2: 0.5 }),
    h("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    h("line", { class: "grid base", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }), lost, lines);
}

function runs(points) {
  // Where nothing came back the line is broken. A lone point is drawn as a short dash.
  const found = [[]];
  for (const p of points) {
    if (p.rtt_seconds === null) found.push([]);
    else found[found.length - 1].push(p);
  }
  return found.filter((run) => run.length).map((run) => (run.length > 1 ? run : [run[0], { ...run[0], seconds: run[0].seconds + 0.3 }]));
}

function summary(points) {
  const times = points.map((p) => p.rtt_seconds).filter((s) => s !== null).map((s) => s * 1000).sort((a, b) => a - b);
  const loss = points.reduce((sum, p) => sum + p.loss_ratio, 0) / (points.length || 1);
  if (!times.length) return t("course_silent", { loss: percent(loss) });
  const middle = precise(times[Math.floor(times.length / 2)]), most = precise(times[times.length - 1]);
  return t("course_summary", { middle, most, loss: percent(loss) });
}

function precise(ms) {
  return number(ms, ms < 1 ? 2 : ms < 10 ? 1 : 0); // where a link answers at once "0 ms" would look like a fault
}

function table(course) {
  const heads = ["course_at", "course_rtt", "course_loss"];
  return h("table", {},
    h("caption", { class: "unseen" }, said(course.says)),
    h("thead", {}, h("tr", {}, heads.map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, course.points.map((p, i) => h("tr", { key: i },
      h("td", {}, `${number(p.seconds, 1)} s`),
      h("td", {}, p.rtt_seconds === null ? t("course_none") : `${precise(p.rtt_seconds * 1000)} ms`),
      h("td", {}, percent(p.loss_ratio))))));
}

customElements.define("ms-course", Course);
