// The program on this computer: what it tells as it goes on, and what it is asked to do.

const PATIENCE_MS = 8000; // for an answer
const LOST_MS = 6000; // without a connection until it is said that the program has ended

export function listen(tell) {
  // tell.state(document), tell.level(0–1), tell.lost() once: the program has ended.
  const events = new EventSource("/v1/events");
  let timer = 0;
  const lost = () => {
    clearTimeout(timer);
    events.close();
    tell.lost();
  };
  events.addEventListener("state", (event) => tell.state(JSON.parse(event.data)));
  events.addEventListener("level", (event) => tell.level(JSON.parse(event.data).level));
  events.addEventListener("end", lost);
  events.addEventListener("open", () => {
    clearTimeout(timer);
    timer = 0;
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) lost(); // refused: this page's key is no longer good
    else if (!timer) timer = setTimeout(lost, LOST_MS);
  });
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
