// Talking with the room over HTTPS. Every question has a deadline; every refusal has a word in page.js.
import { Trouble } from "./devices.js";

const BY_CODE = {
  room_busy: "full", room_too_many_requests: "often", room_test_not_offered: "off",
  room_token_refused: "expired", session_expired: "expired",
};

export async function ask(path, options, ms, read = (response) => response.json()) {
  // What `read` makes of the response when it is a good one, in that time to its last octet. Raises Trouble.
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ms);
  try {
    const response = await come(fetch(path, Object.assign({ signal: giveUp.signal, cache: "no-store" }, options)));
    if (response.ok) return await come(read(response));
    const said = await response.json().catch(() => ({})); // a proxy's error page
    throw new Trouble(BY_CODE[said.code] || "defect", said.retry_after_seconds);
  } finally {
    clearTimeout(timer);
  }
}

async function come(answer) {
  try {
    return await answer;
  } catch (error) {
    throw new Trouble(error instanceof SyntaxError ? "defect" : "offline");
  }
}

export function asJson(body, bearer, guestKey) {
  const headers = { "Content-Type": "application/json" };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (guestKey) headers["Motesklar-Guest-Key"] = guestKey;
  return { method: "POST", headers, body: JSON.stringify(body) };
}

export function asSdp(sdp, bearer) {
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${bearer}` };
  return { method: "POST", headers, body: sdp };
}
