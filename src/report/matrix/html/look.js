// look.js: elements, and what a class and a judgement look like. Texts become text alone, never HTML.

/** How loud each judgement is, in their order: met, unproven, error, missed. */
const LOUDNESS = ["pale", "striped", "striped", "strong"];
const JUDGEMENT_MARKS = ["", "?", "!", ""];

/** An element with properties and children. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A small cell, as the grid draws it. */
function sample(classNumber, loudness, letter) {
  const made = element("span", { className: `cell class-${classNumber} ${loudness}`, textContent: letter });
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** A small cell of no class. */
function sampleOfJudgement(judgement) {
  const made = element("span", { className: `cell any ${LOUDNESS[judgement]}`, textContent: JUDGEMENT_MARKS[judgement] });
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** The colours of the style sheet, as the picture needs them: for each class its own, and for each loudness a fill. */
function readColours(classes) {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  const back = parseColour(get("--grid"));
  const ofClass = classes.map((_, number) => {
    const own = parseColour(get("--class-" + number));
    return { strong: own, pale: mix(own, back, Number(get("--pale"))), ink: parseColour(get("--ink-" + number)) };
  });
  return {
    ofClass,
    back,
    faded: mix(parseColour(get("--text")), back, 0.07),
    text: get("--text"),
    quiet: get("--quiet"),
    head: get("--back"),
    line: get("--line"),
    accent: get("--accent"),
    band: get("--band"),
  };
}

function parseColour(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** So much of the one in the other. */
function mix(one, other, share) {
  return one.map((value, index) => Math.round(value * share + other[index] * (1 - share)));
}

function css(colour) {
  return `rgb(${colour[0]} ${colour[1]} ${colour[2]})`;
}

/** The middle is left out, since names differ at both ends. */
function elide(text, most) {
  if (text.length <= most) return text;
  if (most < 4) return text.slice(0, Math.max(most, 0));
  const tail = Math.floor((most - 1) / 2);
  return text.slice(0, most - 1 - tail) + "…" + text.slice(text.length - tail);
}

function plural(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** What a cell comes to, in a sentence. */
function sentenceOf(words) {
  const sure = words.confidence ? ` (${words.confidence})` : "";
  return `${words.source} → ${words.target}: ${words.judgement.says}; expected ${words.demand.expected}, found ` +
    `${words.verdict}${sure}`;
}

