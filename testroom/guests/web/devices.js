// Camera and microphone: what there is, and in whose words what there is not.

export class Trouble extends Error {
  // kind: a key of TROUBLES in page.js; seconds: when to try again, where the room said so.
  constructor(kind, seconds) {
    super(kind);
    this.kind = kind;
    this.seconds = seconds;
  }
}

const PICTURE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
const WANTED = { camera: { video: PICTURE }, microphone: { audio: true } };
const WORDS = {
  NotAllowedError: "denied", SecurityError: "denied", PermissionDeniedError: "denied",
  NotFoundError: "missing", DevicesNotFoundError: "missing",
  NotReadableError: "busy", TrackStartError: "busy", AbortError: "failed",
};

export function check() {
  // Why this browser cannot do the test at all, or nothing.
  if (window.isSecureContext === false) throw new Trouble("insecure");
  const media = navigator.mediaDevices;
  if (!media || !media.getUserMedia || typeof RTCPeerConnection !== "function" || !window.AbortController) {
    throw new Trouble("old");
  }
  if (!("getStats" in RTCPeerConnection.prototype) || !("addTransceiver" in RTCPeerConnection.prototype)) {
    throw new Trouble("old");
  }
}

export async function open() {
  // {stream, camera, microphone}: the last two are "ok", "denied", "missing", "busy" or "failed". Raises Trouble when
  // there is nothing to test with.
  try {
    const stream = await ask(Object.assign({}, WANTED.camera, WANTED.microphone));
    return { stream, camera: "ok", microphone: "ok" };
  } catch (error) {
    return await eachAlone(error);
  }
}

async function ask(constraints) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    if (error.name !== "OverconstrainedError" || !constraints.video) throw error;
    return navigator.mediaDevices.getUserMedia(Object.assign({}, constraints, { video: true }));
  }
}

async function eachAlone(error) {
  // What is there is used. A question that was answered with no is not asked again.
  const found = { stream: new MediaStream() };
  let last = error;
  for (const device of ["camera", "microphone"]) {
    found[device] = WORDS[error.name] || "failed";
    if (error.name === "NotAllowedError" && !(await mayAskAlone(device))) continue;
    try {
      (await ask(WANTED[device])).getTracks().forEach((track) => found.stream.addTrack(track));
      found[device] = "ok";
    } catch (alone) {
      found[device] = WORDS[alone.name] || "failed";
      last = alone.name === "NotFoundError" ? last : alone;
    }
  }
  if (!found.stream.getTracks().length) throw new Trouble(whole(last, found));
  return found;
}

async function mayAskAlone(device) {
  // Only when it is the other device that is blocked: else the person has just said no, or closed the question.
  const other = device === "camera" ? "microphone" : "camera";
  return (await permission(device)) !== "denied" && (await permission(other)) === "denied";
}

async function permission(name) {
  try {
    return (await navigator.permissions.query({ name })).state;
  } catch (_) {
    return "unknown";
  }
}

function whole(error, found) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") {
    const said = String(error.message);
    if (/system/i.test(said)) return "system";
    return /dismissed/i.test(said) ? "dismissed" : "denied";
  }
  if (error.name === "OverconstrainedError") return "constrained";
  const words = [found.camera, found.microphone];
  return words.indexOf("busy") >= 0 ? "busy" : words.indexOf("failed") >= 0 ? "failed" : "missing";
}
