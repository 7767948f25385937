// strip.js: the last hour as bars: high where a check was not as expected, low where all were, none where there was none.

const MINUTES = 60;
const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A strip that was written some minutes ago has moved to the left since. */
function stripAt(target, minute) {
  const by = Math.min(Math.max(0, minute - target.minute), MINUTES);
  return target.strip.slice(by) + ".".repeat(by);
}

function isMissed(letter) {
  return letter === "?" || (letter >= "A" && letter <= "Z");
}

/** Minutes that are alike are one bar. */
function picture(strip) {
  const made = svg("svg", { class: "strip", viewBox: `0 0 ${MINUTES} 16`, preserveAspectRatio: "none", role: "img" });
  made.setAttribute("aria-label", spokenStrip(strip));
  for (let at = 0; at < strip.length; ) {
    let end = at + 1;
    while (end < strip.length && strip[end] === strip[at]) end += 1;
    const number = CLASS_OF_LETTER.get(strip[at].toUpperCase());
    if (number !== undefined) {
      const [y, height] = isMissed(strip[at]) ? [0, 16] : [10, 6];
      made.append(svg("rect", { class: `class-${number}`, x: at, y, width: end - at, height }));
    }
    at = end;
  }
  return made;
}

function spokenStrip(strip) {
  const checked = [...strip].filter((letter) => letter !== ".");
  const missed = checked.filter(isMissed).length;
  if (checked.length === 0) return "the last hour: no check";
  if (missed === 0) return `the last hour: as expected in all of ${plural(checked.length, "minute")}`;
  return `the last hour: not as expected in ${missed} of ${plural(checked.length, "minute")}`;
}
