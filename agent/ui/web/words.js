// The page's words in both languages, and the server's sentences, which come in both.

export const LANGUAGES = ["sv", "en"];
const texts = {};
let lang = "sv";

export async function load() {
  await Promise.all(LANGUAGES.map(async (name) => {
    const response = await fetch(`/ui/texts.${name}.json`);
    texts[name] = await response.json();
  }));
}

export function language() {
  return lang;
}

export function speak(name) {
  // From now on in that language. Whoever calls draws the page anew.
  lang = LANGUAGES.indexOf(name) >= 0 ? name : "sv";
  document.documentElement.lang = lang;
}

export function known(key) {
  return key in texts[lang];
}

export function t(key, values) {
  const sentence = texts[lang][key];
  if (sentence === undefined) return key;
  return values ? sentence.replace(/{(\w+)}/g, (_, name) => values[name]) : sentence;
}

export function said(sentences) {
  // The server's sentence in this language, else in the one that there is.
  if (!sentences) return "";
  return sentences[lang] || sentences[Object.keys(sentences)[0]] || "";
}

export function number(value, decimals) {
  return new Intl.NumberFormat(place(), {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  }).format(value);
}

export function percent(ratio) {
  // With a decimal only where it matters: "0 %", "1.2%", "12 %".
  const decimals = ratio > 0 && ratio < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(place(), { style: "percent", minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(ratio);
}

function place() {
  return lang === "sv" ? "sv-SE" : "en-GB";
}

export function list(names) {
  // "ljudet, bilden och datorn"
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${t("and")} ${names[names.length - 1]}`;
}
