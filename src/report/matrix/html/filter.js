// filter.js: which edges are shown, and the legend, which counts them and chooses among them.

const FACETS = ["judgements", "classes", "changes"];

/** What is chosen: in a facet in which nothing is, everything is shown. */
function noFilter() {
  return { judgements: new Set(), classes: new Set(), changes: new Set(), source: "", target: "" };
}

function isFiltering(filter) {
  return filter.source !== "" || filter.target !== "" || FACETS.some((facet) => filter[facet].size > 0);
}

/** The place of a cell in a facet; -1 is none. */
function placeIn(matrix, facet, cell) {
  if (facet === "judgements") return matrix.judgement[cell];
  if (facet === "changes") return matrix.change[cell] - 1;
  return classOf(matrix, cell);
}

/** Which cells, rows and columns are shown, and how many cells each button of the legend stands for. */
function applyFilter(matrix, filter) {
  const sources = namesThatMatch(matrix.sources.map(textOfSource), filter.source);
  const targets = namesThatMatch(matrix.targets, filter.target);
  const result = {
    shown: new Uint8Array(matrix.count),
    count: 0,
    counts: Object.fromEntries(FACETS.map((facet) => [facet, new Array(matrix[facet].length).fill(0)])),
  };
  const rows = new Uint8Array(matrix.sources.length);
  const columns = new Uint8Array(matrix.targets.length);
  for (let cell = 0; cell < matrix.count; cell++) {
    if (!sources[matrix.source[cell]] || !targets[matrix.target[cell]]) continue;
    const places = FACETS.map((facet) => placeIn(matrix, facet, cell));
    const misses = FACETS.map((facet, index) => filter[facet].size > 0 && !filter[facet].has(places[index]));
    count(result.counts, places, misses);
    if (misses.includes(true)) continue;
    result.shown[cell] = 1;
    result.count += 1;
    rows[matrix.source[cell]] = columns[matrix.target[cell]] = 1;
  }
  result.sources = placesOf(rows);
  result.targets = placesOf(columns);
  return result;
}

/** A button stands for what would be shown of its kind if nothing else of its facet were chosen. */
function count(counts, places, misses) {
  FACETS.forEach((facet, index) => {
    const others = misses.some((miss, other) => miss && other !== index);
    if (!others && places[index] >= 0) counts[facet][places[index]] += 1;
  });
}

/** Which texts hold all words. */
function namesThatMatch(texts, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return texts.map((text) => {
    const lower = text.toLowerCase();
    return wanted.every((word) => lower.includes(word));
  });
}

function textOfSource(source) {
  return [source.name, ...Object.values(source.about).filter(Boolean)].join(" ");
}

function placesOf(flags) {
  const places = [];
  flags.forEach((flag, place) => flag && places.push(place));
  return places;
}

/** The worst first, and in the order of the grid. */
function worstFirst(matrix, shown) {
  const cells = [];
  for (let judgement = matrix.judgements.length - 1; judgement >= 0; judgement--) {
    for (let cell = 0; cell < matrix.count; cell++) {
      if (shown[cell] && matrix.judgement[cell] === judgement) cells.push(cell);
    }
  }
  return cells;
}

/** The buttons of the legend; `changed` is called when one was pressed. */
function makeLegend(matrix, filter, changed) {
  for (const facet of FACETS) {
    const field = document.getElementById(facet);
    field.hidden = !hasAny(matrix, facet);
    for (const place of inOrder(matrix, facet)) {
      const word = matrix[facet][place];
      const button = element("button", { type: "button", className: "chip" });
      button.dataset.place = place;
      button.append(...chipOf(facet, word, place), element("span", { className: "count" }));
      button.title = facet === "classes" ? word.says : word.label;
      button.addEventListener("click", () => {
        if (!filter[facet].delete(place)) filter[facet].add(place);
        changed();
      });
      field.append(button);
    }
  }
}

/** The worst result first. */
function inOrder(matrix, facet) {
  const places = [...matrix[facet].keys()];
  return facet === "judgements" ? places.reverse() : places;
}

function hasAny(matrix, facet) {
  return facet !== "changes" || matrix.change.some((change) => change > 0);
}

function chipOf(facet, word, place) {
  if (facet === "classes") return [sample(place, "strong", word.letter), word.label];
  if (facet === "judgements") return [sampleOfJudgement(place), word.says];
  return [word.says];
}

/** Counts and presses the buttons; what does not occur is not offered. */
function showLegend(filter, counts) {
  for (const facet of FACETS) {
    for (const button of document.getElementById(facet).querySelectorAll("button")) {
      const place = Number(button.dataset.place);
      const isPressed = filter[facet].has(place);
      button.hidden = counts[facet][place] === 0 && !isPressed;
      button.setAttribute("aria-pressed", String(isPressed));
      button.querySelector(".count").textContent = counts[facet][place].toLocaleString("en");
    }
  }
}

