// <ms-preview>: what the camera sees, as in a mirror, while it is on the page. Nothing of it is kept.
import { h, patch } from "./dom.js";
import { pictures } from "./server.js";
import { t } from "./words.js";

class Preview extends HTMLElement {
  static get observedAttributes() { return ["lang"]; }

  connectedCallback() {
    this.seen = this.busy = false;
    this.on = true;
    this.draw();
    this.close = pictures((blob) => this.take(blob));
  }

  disconnectedCallback() {
    this.on = false;
    this.close();
    const canvas = this.querySelector("canvas");
    if (canvas) canvas.width = canvas.height = 0; // wiped
  }

  attributeChangedCallback() { if (this.on) this.draw(); }

  draw() {
    patch(this, [
      h("canvas", { role: "img", "aria-label": t(this.seen ? "preview" : "preview_none"), class: this.seen ? "" : "none" }),
      this.seen ? null : h("p", { class: "empty", "aria-hidden": "true" }, t("preview_none")),
    ].filter(Boolean));
  }

  async take(blob) {
    if (this.busy) return; // a slow computer shows fewer, not later, pictures
    this.busy = true;
    try {
      this.put(await decoded(blob));
    } catch (_) {
      // a broken picture: the next one comes in a moment
    } finally {
      this.busy = false;
    }
  }

  put(picture) {
    if (!this.on) return;
    const canvas = this.querySelector("canvas");
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    canvas.getContext("2d").drawImage(picture, 0, 0);
    if (picture.close) picture.close();
    if (!this.seen) {
      this.seen = true;
      this.draw();
    }
  }
}

async function decoded(blob) {
  if (window.createImageBitmap) return createImageBitmap(blob);
  const address = URL.createObjectURL(blob), picture = new Image();
  try {
    picture.src = address;
    await picture.decode();
    return picture;
  } finally {
    URL.revokeObjectURL(address);
  }
}

customElements.define("ms-preview", Preview);
