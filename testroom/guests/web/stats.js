// From what getStats says (W3C webrtc-stats) to the quantities of the vocabulary. Nothing here touches the page.

const LOSS_COUNTS = { up: ["lost_up", "sent_up"], down: ["lost_down", "expected_down"] };

export function pick(report) {
  // The parts that count, of an RTCStatsReport or anything else with forEach.
  const all = {}, found = { codecs: [] };
  report.forEach((stat) => { all[stat.id] = stat; });
  for (const id of Object.keys(all)) {
    const stat = all[id], kind = stat.kind || stat.mediaType;
    if (stat.type === "inbound-rtp") found[`${kind}In`] = stat;
    if (stat.type === "outbound-rtp") found[`${kind}Out`] = stat;
    if (stat.type === "remote-inbound-rtp") found[`${kind}Heard`] = stat;
    if (stat.type === "media-source" && kind === "video") found.camera = stat;
  }
  found.pair = chosenPair(all);
  found.local = found.pair && all[found.pair.localCandidateId];
  found.remote = found.pair && all[found.pair.remoteCandidateId];
  found.audioCodec = codec(all, found.audioIn || found.audioOut);
  found.videoCodec = codec(all, found.videoIn || found.videoOut);
  return found;
}

function chosenPair(all) {
  const stats = Object.keys(all).map((id) => all[id]);
  const transport = stats.find((stat) => stat.type === "transport" && stat.selectedCandidatePairId);
  if (transport) return all[transport.selectedCandidatePairId];
  return stats.find((stat) => stat.type === "candidate-pair" && (stat.selected || (stat.nominated && stat.state === "succeeded")));
}

function codec(all, stream) {
  const found = stream && all[stream.codecId];
  return found ? found.mimeType.split("/")[1] : undefined;
}

export class Samples {
  // Four looks a second at one call. `values` compares the last look with the first.
  constructor() {
    this.looks = [];
    this.roundTrips = [];
    this.jitterDown = [];
    this.jitterUp = new Map();
    this.answered = {};
  }

  add(picked, atMs) {
    this.looks.push({ picked, atMs });
    this.addRoundTrip(picked.pair);
    if (picked.audioIn && picked.audioIn.packetsReceived) push(this.jitterDown, picked.audioIn.jitter);
    const heard = picked.audioHeard;
    if (heard && typeof heard.jitter === "number") this.jitterUp.set(heard.timestamp, heard.jitter);
  }

  addRoundTrip(pair) {
    // Each answered check once: between two looks there may be none, one or several.
    if (!pair || typeof pair.totalRoundTripTime !== "number") {
      if (pair) push(this.roundTrips, pair.currentRoundTripTime);
      return;
    }
    if (pair.id !== this.answered.id) this.answered = { id: pair.id, count: 0, seconds: 0 }; // another way: it counts anew
    const count = pair.responsesReceived - this.answered.count;
    if (count > 0) push(this.roundTrips, (pair.totalRoundTripTime - this.answered.seconds) / count);
    Object.assign(this.answered, { count: pair.responsesReceived, seconds: pair.totalRoundTripTime });
  }

  get seconds() {
    return this.looks.length < 2 ? 0 : (last(this.looks).atMs - this.looks[0].atMs) / 1000;
  }

  rise(part, name) {
    // By how much a counter rose; undefined where the browser does not count it.
    if (this.looks.length < 2) return undefined;
    const before = this.looks[0].picked[part], after = last(this.looks).picked[part];
    if (!after || typeof after[name] !== "number") return undefined;
    return after[name] - ((before && before[name]) || 0);
  }

  perSecond(part, name) {
    const rise = this.rise(part, name);
    return rise === undefined || !this.seconds ? undefined : rise / this.seconds;
  }

  values() {
    const trips = this.roundTrips.slice().sort((a, b) => a - b);
    const heard = Array.from(this.jitterUp.values());
    return {
      rtt_min_seconds: trips[0],
      rtt_p50_seconds: percentile(trips, 0.5),
      rtt_p95_seconds: percentile(trips, 0.95),
      rtt_max_seconds: last(trips),
      jitter_down_seconds: mean(this.jitterDown),
      jitter_up_seconds: mean(heard),
      call_frames_sent_per_second: this.perSecond("videoOut", "framesSent"),
      call_frames_per_second: this.perSecond("videoIn", "framesReceived"),
      call_frozen_ratio: share(this.rise("videoIn", "totalFreezesDuration"), this.seconds),
      call_audio_gap_ratio: this.gaps(),
      call_frames_skipped_ratio: this.skipped(),
      camera_frames_per_second: this.perSecond("camera", "frames"),
    };
  }

  gaps() {
    if (this.rise("audioIn", "packetsReceived") === 0) return 1;
    return share(this.rise("audioIn", "concealedSamples"), this.rise("audioIn", "totalSamplesReceived"));
  }

  skipped() {
    // Pictures that the camera gave and the encoder did not take; one is always under way.
    const given = this.rise("camera", "frames"), taken = this.rise("videoOut", "framesEncoded");
    if (given === undefined || taken === undefined || this.limitedBy() === "bandwidth") return undefined;
    return share(Math.max(0, given - taken - 1), given);
  }

  limitedBy() {
    const out = this.looks.length ? last(this.looks).picked.videoOut : undefined;
    return out && out.qualityLimitationReason;
  }

  counts() {
    // Since the call began: what the room last reported, and what came back.
    const now = this.looks.length ? last(this.looks).picked : {};
    const up = sum([now.audioHeard, now.videoHeard], "packetsLost"), sent = sum([now.audioOut, now.videoOut], "packetsSent");
    const down = sum([now.audioIn, now.videoIn], "packetsLost"), came = sum([now.audioIn, now.videoIn], "packetsReceived");
    const counts = {};
    if (up !== undefined && sent) Object.assign(counts, pair(LOSS_COUNTS.up, up, sent));
    if (down !== undefined && came) Object.assign(counts, pair(LOSS_COUNTS.down, down, came + Math.max(0, down)));
    return counts;
  }

  facts() {
    const now = this.looks.length ? last(this.looks).picked : {};
    const facts = { media_path: path(now.local), audio_codec: now.audioCodec, video_codec: now.videoCodec };
    if (now.local && now.remote) facts.candidate_pair = `${now.local.candidateType}/${now.remote.candidateType}`;
    facts.limited_by = this.limitedBy();
    return facts;
  }
}

function path(local) {
  if (!local) return undefined;
  if (local.candidateType !== "relay") return "direct";
  return { udp: "turn_udp", tcp: "turn_tcp", tls: "turn_tls" }[local.relayProtocol];
}

function pair(names, lost, all) {
  return { [names[0]]: Math.min(Math.max(0, lost), all), [names[1]]: all };
}

function sum(stats, name) {
  const there = stats.filter((stat) => stat && typeof stat[name] === "number");
  return there.length ? there.reduce((total, stat) => total + stat[name], 0) : undefined;
}

function share(part, whole) {
  return part === undefined || !whole ? undefined : Math.min(1, Math.max(0, part / whole));
}

function push(list, value) {
  if (typeof value === "number" && isFinite(value)) list.push(value);
}

function last(list) {
  return list[list.length - 1];
}

function mean(list) {
  return list.length ? list.reduce((a, b) => a + b, 0) / list.length : undefined;
}

function percentile(ordered, fraction) {
  if (!ordered.length) return undefined;
  const at = fraction * (ordered.length - 1), low = Math.floor(at), high = Math.min(low + 1, ordered.length - 1);
  return ordered[low] + (ordered[high] - ordered[low]) * (at - low);
}
