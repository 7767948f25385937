// main.js: puts the parts together, and keeps what is chosen in the address, so that a link shows the same.

async function main() {
  const matrix = await readMatrix();
  const filter = noFilter();
  const on = {
    open: (cell, from) => open(cell, from),
    close: () => close(),
    step: (direction) => step(direction),
    linkTo: (cell) => address(matrix, filter, cell),
  };
  const grid = new Grid(matrix, on);
  const panel = new Panel(matrix, on);
  const list = new List(matrix, on);
  const state = { cell: -1, from: null, worst: [], written: null };

  /** What has changed is shown everywhere. */
  function refresh() {
    const view = applyFilter(matrix, filter);
    state.worst = worstFirst(matrix, view.shown);
    showLegend(filter, view.counts);
    grid.show(view);
    grid.select(state.cell);
    list.show(state.worst);
    list.select(state.cell);
    document.getElementById("filter-none").hidden = !isFiltering(filter);
    document.getElementById("shown").textContent = isFiltering(filter)
      ? `${view.count.toLocaleString("en")} of ${plural(matrix.count, "edge")}`
      : "";
  }

  async function open(cell, from = document.getElementById("scroller")) {
    state.cell = cell;
    state.from = from;
    grid.select(cell);
    list.select(cell);
    remember();
    await panel.open(cell);
    panel.box.focus({ preventScroll: true });
  }

  function close() {
    if (state.cell < 0) return;
    state.cell = -1;
    panel.close();
    grid.select(-1);
    list.select(-1);
    remember();
    state.from?.focus({ preventScroll: true });
  }

  /** To the next edge that is not as expected, or to the next of those that are shown where all are as expected. */
  function step(direction) {
    const unexpected = state.worst.filter((cell) => matrix.judgement[cell] !== 0);
    const cells = unexpected.length > 0 ? unexpected : state.worst;
    if (cells.length === 0) return;
    const at = cells.indexOf(state.cell);
    const next = at < 0 ? (direction > 0 ? 0 : cells.length - 1) : (at + direction + cells.length) % cells.length;
    open(cells[next], state.from ?? undefined);
  }

  function remember() {
    state.written = address(matrix, filter, state.cell);
    history.replaceState(null, "", "#" + state.written);
  }

  /** Takes the filter and the cell from the address. */
  function recall() {
    const written = location.hash.slice(1);
    if (written === state.written) return;
    const cell = readAddress(matrix, filter, written);
    refresh();
    showWords(filter);
    if (cell >= 0) open(cell);
    else close();
    state.written = written;
  }

  makeLegend(matrix, filter, () => { refresh(); remember(); });
  listenToWords(filter, () => { refresh(); remember(); });
  listenToTools(grid, on);
  showSamples(matrix);
  document.getElementById("filter-none").addEventListener("click", () => {
    Object.assign(filter, noFilter());
    showWords(filter);
    refresh();
    remember();
    document.getElementById("filter-source").focus();
  });
  window.addEventListener("hashchange", recall);
  recall();
  return { matrix, grid };
}

/** The filter and the cell as they are in the address: by name, since another run has other numbers. */
function address(matrix, filter, cell) {
  const words = new URLSearchParams();
  if (cell >= 0) {
    words.set("from", matrix.sources[matrix.source[cell]].name);
    words.set("to", matrix.targets[matrix.target[cell]]);
  }
  for (const facet of FACETS) {
    if (filter[facet].size > 0) words.set(facet, [...filter[facet]].map((place) => matrix[facet][place].label).join(","));
  }
  if (filter.source) words.set("source", filter.source);
  if (filter.target) words.set("target", filter.target);
  return words.toString();
}

/** Sets the filter, and returns the cell that the address names, or -1. */
function readAddress(matrix, filter, text) {
  const words = new URLSearchParams(text);
  for (const facet of FACETS) {
    const labels = (words.get(facet) ?? "").split(",");
    filter[facet] = new Set(placesOf(matrix[facet].map((word) => labels.includes(word.label))));
  }
  filter.source = words.get("source") ?? "";
  filter.target = words.get("target") ?? "";
  const source = matrix.sources.findIndex((other) => other.name === words.get("from"));
  const target = matrix.targets.indexOf(words.get("to"));
  return source >= 0 && target >= 0 ? cellAt(matrix, source, target) : -1;
}

function showWords(filter) {
  document.getElementById("filter-source").value = filter.source;
  document.getElementById("filter-target").value = filter.target;
}

function listenToWords(filter, changed) {
  let due = 0;
  for (const name of ["source", "target"]) {
    document.getElementById("filter-" + name).addEventListener("input", (event) => {
      filter[name] = event.target.value.trim();
      clearTimeout(due);
      due = setTimeout(changed, 120);
    });
  }
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
}

function listenToTools(grid, on) {
  const press = (id, action) => document.getElementById(id).addEventListener("click", action);
  press("zoom-in", () => grid.zoom(1.4));
  press("zoom-out", () => grid.zoom(1 / 1.4));
  press("zoom-fit", () => grid.fit());
  press("swap", () => grid.swap());
  press("next-unexpected", () => on.step(1));
}

/** The same verdict with each of the judgements. */
function showSamples(matrix) {
  const says = [
    ["pale", "as expected"],
    ["strong", "not as expected"],
    ["striped", "unproven: blocked as expected, but nothing shows that the target is alive; or our own side failed"],
  ];
  const number = matrix.classes.findIndex((word) => word.label === "filtered");
  const items = says.map(([loudness, text]) =>
    element("li", {}, sample(number, loudness, matrix.classes[number].letter), text));
  document.getElementById("samples").append(...items);
}

const started = main();
