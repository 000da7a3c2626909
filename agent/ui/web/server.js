// The program on this computer: what it tells as it goes on, and what it is asked to do.

const PATIENCE_MS = 8000; // for an answer
const LOST_MS = 6000; // without a connection until it is said that the program has ended
const BEAT_MS = 5000; // the program is heard from at least so often, unless it says otherwise
const BEATS = 3; // that did not come, until it is said that the program hangs
const HELD_MS = 1500; // a timer so late was held back: the computer slept, or the tab was in the background

export function listen(tell) {
  // tell.state(document), tell.level(0–1), tell.silent(true | false): it does not answer, and it does again;
  // tell.lost() once: the program has ended.
  const events = new EventSource("/v1/events"), pulse = watch(tell.silent);
  let timer = 0;
  const lost = () => {
    clearTimeout(timer);
    pulse.stop();
    events.close();
    tell.lost();
  };
  const on = (name, does) => events.addEventListener(name, (event) => {
    pulse.heard();
    does(event.data ? JSON.parse(event.data) : null);
  });
  on("state", tell.state);
  on("level", (data) => tell.level(data.level));
  on("alive", (data) => pulse.every(data.seconds * 1000));
  on("end", lost);
  on("open", () => {
    clearTimeout(timer);
    timer = 0;
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) lost(); // refused: this page's key is no longer good
    else if (!timer) timer = setTimeout(lost, LOST_MS);
  });
}

function watch(silent) {
  // Counts heartbeats that are missed one after the other. Those that were due while this page could not see them come
  // count for nothing: it begins anew after each time that its own timer was held back, and when it is shown again.
  let beat = BEAT_MS, missed = 0, told = false, timer = 0, due = 0;
  const wait = () => {
    clearTimeout(timer);
    due = performance.now() + beat;
    timer = setTimeout(passed, beat);
  };
  const passed = () => {
    missed = performance.now() - due > HELD_MS ? 0 : missed + 1;
    if (missed >= BEATS && !told) silent(told = true);
    wait();
  };
  const anew = () => {
    missed = 0;
    wait();
  };
  document.addEventListener("visibilitychange", anew);
  wait();
  return {
    heard: () => {
      anew();
      if (told) silent(told = false);
    },
    every: (ms) => {
      beat = ms;
      wait();
    },
    stop: () => {
      document.removeEventListener("visibilitychange", anew);
      clearTimeout(timer);
    },
  };
}

export async function post(path, body) {
  // "" when it is done, else a code of why not; "gone": nobody answers.
  const giveUp = new AbortController(), timer = setTimeout(() => giveUp.abort(), PATIENCE_MS);
  try {
    const response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}),
      cache: "no-store", signal: giveUp.signal,
    });
    if (response.ok) return "";
    const said = await response.json().catch(() => ({}));
    return said.code || String(response.status);
  } catch (_) {
    return "gone";
  } finally {
    clearTimeout(timer);
  }
}

export function pictures(show) {
  // show(blob) for each JPEG of the preview, until what is returned is called.
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/preview`;
  let socket, ended = false, timer = 0;
  const open = () => {
    socket = new WebSocket(address);
    socket.binaryType = "blob";
    socket.onmessage = (event) => show(event.data);
    socket.onclose = () => { if (!ended) timer = setTimeout(open, 1000); };
  };
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket.close();
  };
}
