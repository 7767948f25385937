"use strict";

// words.js: the vocabulary, elements, and times as a person says them. Texts become text alone, never HTML.

const WORDS = JSON.parse(document.getElementById("words").textContent);
const CLASS_NUMBER = new Map(WORDS.classes.map((word, number) => [word.label, number]));
const CLASS_OF_LETTER = new Map(WORDS.classes.map((word, number) => [word.letter, number]));
const CAUSES = new Map(WORDS.causes.map((word) => [word.label, word]));

/** An element with properties and children. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A name of somebody else's: its direction stays its own. */
function isolated(text) {
  return element("bdi", { textContent: text });
}

function code(text) {
  return element("code", { textContent: text });
}

/** The letter of a class on its colour. */
function badge(number, isLoud) {
  const made = element("span", {
    className: `badge class-${number}${isLoud ? "" : " pale"}`,
    textContent: number < 0 ? "…" : WORDS.classes[number].letter,
  });
  made.setAttribute("aria-hidden", "true");
  return made;
}

function plural(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** `12 s`, `5 min`, `3 h 20 min`, `4 d 2 h`. */
function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return twoUnits(whole, 3600, "h", 60, "min");
  return twoUnits(whole, 86400, "d", 3600, "h");
}

function twoUnits(whole, large, unit, small, smallUnit) {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${unit}` + (rest > 0 ? ` ${rest} ${smallUnit}` : "");
}

/** Three digits, as the report writes them. */
function brief(seconds) {
  const [value, unit] = seconds < 1e-3 ? [seconds * 1e6, "µs"] : seconds < 1 ? [seconds * 1e3, "ms"] : [seconds, "s"];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** `2026-11-22 20:01:07 UTC`, and what the clock on this wall says. */
function moment(unix) {
  const date = new Date(unix * 1000);
  const utc = date.toISOString().slice(0, 19).replace("T", " ") + " UTC";
  const local = date.toLocaleTimeString("en-GB", { timeZoneName: "short" });
  return date.getTimezoneOffset() === 0 ? utc : `${utc} (${local} here)`;
}

function unixOf(rfc3339) {
  return rfc3339 ? Date.parse(rfc3339) / 1000 : null;
}
