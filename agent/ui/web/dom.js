// A tree of what is to be shown, and how the page becomes it: only what differs is touched, so that the keyboard's
// focus, a screen reader's place and what is unfolded stay where they are.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = ["svg", "path", "circle", "rect", "line", "polyline"];

export function h(tag, props, ...kids) {
  // One element. Of `props`: onX is a handler, .x a property, key names it among its siblings, true and false are with
  // and without the attribute. null, false and undefined among `kids` are nothing; lists are laid out.
  return { tag, props: props || {}, kids: kids.flat(3).filter((kid) => kid !== null && kid !== undefined && kid !== false) };
}

export function patch(parent, kids) {
  // The parent's children become `kids`.
  const wanted = named(kids), old = new Map();
  for (const node of Array.from(parent.childNodes)) {
    const same = wanted.has(node.key) && kind(wanted.get(node.key)) === node.nodeName.toLowerCase();
    if (same) old.set(node.key, node);
    else node.remove();
  }
  let at = parent.firstChild;
  for (const [key, kid] of wanted) {
    const node = old.get(key) || made(kid, key);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    renew(node, kid);
  }
}

function named(kids) {
  const found = new Map(), counts = {};
  for (const kid of kids) {
    const name = kind(kid);
    counts[name] = (counts[name] || 0) + 1;
    found.set(kid.props && kid.props.key !== undefined ? `${name} ${kid.props.key}` : `${name}:${counts[name]}`, kid);
  }
  return found;
}

function kind(kid) {
  return kid.tag || "#text";
}

function made(kid, key) {
  const drawn = DRAWN.indexOf(kid.tag) >= 0;
  const node = !kid.tag ? document.createTextNode("")
    : drawn ? document.createElementNS(SVG, kid.tag) : document.createElement(kid.tag);
  node.key = key;
  return node;
}

function renew(node, kid) {
  if (!kid.tag) {
    if (node.data !== String(kid)) node.data = String(kid);
    return;
  }
  for (const name of node.propsGiven || []) if (!(name in kid.props)) give(node, name, false);
  for (const name of Object.keys(kid.props)) give(node, name, kid.props[name]);
  node.propsGiven = Object.keys(kid.props);
  if (kid.tag.indexOf("-") < 0) patch(node, kid.kids); // what is inside a component is the component's
}

function give(node, name, value) {
  if (name === "key") return;
  if (name[0] === ".") node[name.slice(1)] = value;
  else if (name.slice(0, 2) === "on") node[name] = value || null;
  else if (value === false || value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value === true ? "" : value)) node.setAttribute(name, value === true ? "" : value);
}
