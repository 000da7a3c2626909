// One call to the room and what was measured of it: a record of the schema motesklar.browser/1.
import { Trouble } from "./devices.js";
import { ask, asSdp } from "./room.js";
import { pick, Samples } from "./stats.js";

const GATHER_MS = 2500, ANSWER_MS = 8000, CONNECT_MS = 8000, FIRST_MS = 4000, SETTLE_MS = 800;
const WINDOW_MS = 5000, LOOK_MS = 250, BROKEN_MS = 2000;
const OF_CAMERA = [
  "first_video_seconds", "call_frames_sent_per_second", "call_frames_per_second", "call_frozen_ratio",
  "call_frames_skipped_ratio", "camera_frames_per_second", "call_carries", "video_codec",
];
const OF_MICROPHONE = [
  "first_audio_seconds", "call_audio_gap_ratio", "jitter_up_seconds", "jitter_down_seconds", "call_carries", "audio_codec",
];
const WANTED = OF_CAMERA.concat(OF_MICROPHONE, [
  "rtt_min_seconds", "rtt_p50_seconds", "rtt_p95_seconds", "rtt_max_seconds", "loss_up_ratio", "loss_down_ratio",
  "call_gathering_seconds", "call_signalling_seconds", "call_ice_seconds", "call_dtls_seconds", "call_setup_seconds",
  "first_media_seconds", "media_path", "candidate_pair",
]);

export class Call {
  // `devices` as devices.open gives them; `told.returned(stream)` and `told.measuring()` as it goes on.
  constructor(devices, session, told) {
    Object.assign(this, { devices, session, told, values: {}, facts: {}, failure: undefined, over: false });
    this.samples = new Samples();
    this.began = performance.now();
  }

  async record() {
    // Raises Trouble when the room takes no call, or the test was stopped; a call that fails is a record.
    try {
      await this.offer();
      if (await this.connect()) await this.measure();
    } finally {
      this.close();
    }
    return this.written();
  }

  close() {
    // Also while it goes on, and when the page is left: the room is told, and does not wait for an answer.
    this.over = true;
    if (this.pc) this.pc.close();
    if (this.location) fetch(this.location, { method: "DELETE", keepalive: true }).catch(() => {});
    this.location = undefined;
  }

  seconds(since) {
    return (performance.now() - since) / 1000;
  }

  async offer() {
    const pc = this.pc = new RTCPeerConnection({ iceServers: this.session.ice_servers, bundlePolicy: "max-bundle" });
    const returned = new MediaStream();
    pc.ontrack = (event) => { returned.addTrack(event.track); this.told.returned(returned); };
    this.devices.stream.getTracks().forEach((track) => pc.addTrack(track, this.devices.stream));
    await pc.setLocalDescription(await pc.createOffer());
    await this.until(() => pc.iceGatheringState === "complete", GATHER_MS);
    this.values.call_gathering_seconds = this.seconds(this.began);
    this.offered = performance.now();
    const sdp = await ask("/v1/call", asSdp(pc.localDescription.sdp, this.session.id), ANSWER_MS, (answer) => {
      this.location = answer.headers.get("Location");
      return answer.text();
    });
    this.answered = performance.now();
    this.values.call_signalling_seconds = (this.answered - this.offered) / 1000;
    this.watch();
    await pc.setRemoteDescription({ type: "answer", sdp });
  }

  watch() {
    const pc = this.pc, found = () => pc.iceConnectionState === "connected" || pc.iceConnectionState === "completed";
    const look = () => {
      const now = performance.now();
      if (found() && !this.found) this.found = now;
      if (!this.connected && (pc.connectionState === "connected" || (!pc.connectionState && found()))) this.connected = now;
    };
    pc.oniceconnectionstatechange = pc.onconnectionstatechange = look;
  }

  async connect() {
    const pc = this.pc, ended = () => pc.connectionState === "failed" || pc.iceConnectionState === "failed";
    await this.until(() => this.connected || ended(), CONNECT_MS);
    if (this.found) this.values.call_ice_seconds = (this.found - this.answered) / 1000;
    if (!this.connected) {
      this.fail(this.found ? "dtls" : "ice", this.found ? "dtls_failed" : "ice_failed");
      if (!this.found) this.facts.media_path = "none";
      return false;
    }
    if (this.found && pc.connectionState) this.values.call_dtls_seconds = (this.connected - this.found) / 1000;
    this.values.call_setup_seconds = (this.connected - this.offered) / 1000;
    return true;
  }

  async measure() {
    this.told.measuring(FIRST_MS / 4 + SETTLE_MS + WINDOW_MS);
    await this.firstMedia();
    if (this.values.first_media_seconds === undefined) return this.silent();
    await this.wait(SETTLE_MS);
    const end = performance.now() + WINDOW_MS;
    while (performance.now() <= end) {
      if (await this.brokenOff()) return this.fail("media", "call_broken_off");
      this.samples.add(await this.look(), performance.now());
      await this.wait(LOOK_MS);
    }
    Object.assign(this.values, this.samples.values());
    Object.assign(this.facts, this.samples.facts());
    this.facts.call_carries = this.carries();
  }

  async firstMedia() {
    // When the first packets of sound and of picture came back.
    const wanted = [["audioIn", "first_audio_seconds", "microphone"], ["videoIn", "first_video_seconds", "camera"]]
      .filter((each) => this.devices[each[2]] === "ok");
    const end = performance.now() + FIRST_MS, values = this.values;
    while (performance.now() < end && wanted.some((each) => values[each[1]] === undefined)) {
      const now = await this.look();
      for (const [part, name] of wanted) {
        const came = now[part] && (now[part].framesReceived || (part === "audioIn" && now[part].packetsReceived));
        if (came && values[name] === undefined) values[name] = this.seconds(this.began);
      }
      await this.wait(40);
    }
    const times = [values.first_audio_seconds, values.first_video_seconds].filter((s) => s !== undefined);
    if (times.length) values.first_media_seconds = Math.min.apply(null, times);
  }

  async silent() {
    // Nothing came back: the room says whether it heard anything.
    this.samples.add(await this.look(), performance.now());
    Object.assign(this.facts, this.samples.facts(), { call_carries: "nothing" });
    const said = await ask(this.location, {}, ANSWER_MS);
    const heard = said.audio_packets > 0 || said.video_frames > 0;
    this.fail("media", heard ? "media_silent_down" : "media_silent_up");
  }

  carries() {
    // Only where both were sent can it be told.
    if (this.devices.camera !== "ok" || this.devices.microphone !== "ok") return undefined;
    const sound = this.samples.rise("audioIn", "packetsReceived"), picture = this.samples.rise("videoIn", "framesReceived");
    if (!sound) return "nothing";
    return picture ? "video" : "sound_only";
  }

  async brokenOff() {
    const state = this.pc.connectionState || this.pc.iceConnectionState;
    const gone = state === "disconnected" || state === "failed" || state === "closed";
    this.goneSince = gone ? this.goneSince || performance.now() : undefined;
    return gone && (state !== "disconnected" || performance.now() - this.goneSince > BROKEN_MS);
  }

  async look() {
    if (this.over) throw new Trouble("stopped");
    return pick(await this.pc.getStats());
  }

  async until(done, ms) {
    const end = performance.now() + ms;
    while (!done() && performance.now() < end) await this.wait(20);
  }

  async wait(ms) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.over) throw new Trouble("stopped");
  }

  fail(step, code) {
    this.failure = { step, code };
  }

  written() {
    const values = numbers(this.values), facts = words(this.facts), counts = this.samples.counts();
    const known = Object.assign({}, values, facts);
    if ("sent_up" in counts) known.loss_up_ratio = true;
    if ("expected_down" in counts) known.loss_down_ratio = true;
    const unknown = {};
    for (const name of WANTED) if (!(name in known)) unknown[name] = this.reason(name);
    const { camera, microphone } = this.devices;
    Object.assign(facts, about(), { camera, microphone });
    const record = { schema: "motesklar.browser/1", duration_s: this.seconds(this.began), values, counts, facts, unknown };
    return this.failure ? Object.assign(record, { failure: this.failure }) : record;
  }

  reason(name) {
    if (this.devices.camera !== "ok" && OF_CAMERA.indexOf(name) >= 0) return "no_camera";
    if (this.devices.microphone !== "ok" && OF_MICROPHONE.indexOf(name) >= 0) return "no_microphone";
    if (this.failure) return "no_call";
    if (name === "call_frames_skipped_ratio" && this.facts.limited_by === "bandwidth") return "bandwidth";
    return name === "jitter_up_seconds" || name === "loss_up_ratio" ? "too_short" : "browser";
  }
}

function numbers(values) {
  const kept = {};
  for (const name of Object.keys(values)) if (typeof values[name] === "number" && isFinite(values[name])) kept[name] = values[name];
  return kept;
}

const WORDS = {
  audio_codec: ["opus", "G722", "PCMU", "PCMA"], video_codec: ["VP8", "VP9", "H264", "AV1", "H265"],
  limited_by: ["none", "cpu", "bandwidth", "other"],
};

function words(facts) {
  const kept = {};
  for (const name of Object.keys(facts)) {
    if (typeof facts[name] === "string" && (!WORDS[name] || WORDS[name].indexOf(facts[name]) >= 0)) kept[name] = facts[name];
  }
  return kept;
}

const BROWSERS = [
  ["edge", /Edg(?:A|iOS)?\/(\d+)/], ["opera", /OPR\/(\d+)/], ["samsung", /SamsungBrowser\/(\d+)/],
  ["firefox", /(?:Firefox|FxiOS)\/(\d+)/], ["chrome", /(?:Chrome|Chromium|CriOS)\/(\d+)/], ["safari", /Version\/(\d+).*Safari/],
];

export function about(agent = navigator.userAgent) {
  // Which browser, and whether a phone tells by what kind of link it is connected.
  const [name, pattern] = BROWSERS.find((each) => each[1].test(agent)) || ["other", /(\d+)/];
  const version = pattern.exec(agent), facts = { browser: name };
  if (version) facts.browser_version = Math.min(9999, Number(version[1]));
  facts.device = /Mobi|Android|iPad|iPhone/.test(agent) ? "phone_or_tablet" : "computer";
  const link = navigator.connection && navigator.connection.type;
  if (["wifi", "cellular", "ethernet"].indexOf(link) >= 0) facts.connection = link;
  return facts;
}
