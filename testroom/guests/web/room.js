// Talking with the room over HTTPS. Every question has a deadline; every refusal has a word in page.js.
import { Trouble } from "./devices.js";

const BY_CODE = {
  room_busy: "full", room_too_many_requests: "often", room_test_not_offered: "off",
  room_token_refused: "expired", session_expired: "expired",
};

export async function ask(path, options, ms) {
  // The response when it is a good one. Raises Trouble.
  const response = await reach(path, options, ms);
  if (response.ok) return response;
  let said = {};
  try {
    said = await response.json();
  } catch (_) { /* a proxy's error page */ }
  throw new Trouble(BY_CODE[said.code] || "defect", said.retry_after_seconds);
}

async function reach(path, options, ms) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ms);
  try {
    return await fetch(path, Object.assign({ signal: giveUp.signal, cache: "no-store" }, options));
  } catch (_) {
    throw new Trouble("offline");
  } finally {
    clearTimeout(timer);
  }
}

export function asJson(body, bearer) {
  const headers = { "Content-Type": "application/json" };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  return { method: "POST", headers, body: JSON.stringify(body) };
}

export function asSdp(sdp, bearer) {
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${bearer}` };
  return { method: "POST", headers, body: sdp };
}
