// head.js: the worst in one line, what is wrong with the monitor itself, how old all of it is, and what can be filtered.

class Head {
  constructor(filter, changed) {
    this.filter = filter;
    this.chips = document.getElementById("classes");
    this.chips.addEventListener("click", (event) => {
      const chip = event.target.closest("button");
      if (!chip) return;
      const number = Number(chip.dataset.number);
      if (!filter.classes.delete(number)) filter.classes.add(number);
      changed();
    });
    document.getElementById("module").addEventListener("change", (event) => {
      filter.module = event.target.value;
      changed();
    });
    document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("filters").hidden = false;
    document.getElementById("search").addEventListener("input", (event) => {
      filter.search = event.target.value.trim();
      changed();
    });
    document.getElementById("filter-none").addEventListener("click", () => {
      Object.assign(filter, noFilter());
      this.write();
      changed();
      document.getElementById("search").focus();
    });
  }

  /** Puts the filter into its fields. */
  write() {
    document.getElementById("search").value = this.filter.search;
    document.getElementById("module").value = this.filter.module;
  }

  show(board, view) {
    const ranks = new Array(RANKS.length).fill(0);
    for (const target of board.targets.values()) ranks[target.rank] += 1;
    const says = headline(board.targets.size, ranks);
    document.getElementById("extra").textContent = doubts(board.targets.size, ranks);
    const heading = document.getElementById("headline");
    if (heading.textContent !== says) {
      // What is read aloud is what changed while the page is open.
      if (this.hasSpoken) document.getElementById("spoken").textContent = says;
      heading.textContent = says;
    }
    this.hasSpoken = true;
    document.title = (ranks[0] > 0 ? `(${ranks[0]}) ` : "") + "tcpprobe monitor";
    const isGood = board.targets.size > 0 && ranks[4] === board.targets.size;
    document.getElementById("head").className = ranks[0] > 0 ? "bad" : isGood ? "good" : "unsure";
    this.showChips(view);
    this.showModules(board);
    this.showTroubles(board);
    document.getElementById("filter-none").hidden = !isFiltering(this.filter);
  }

  showChips({ counts, loud }) {
    const chips = [...WORDS.classes.keys()]
      .filter((number) => counts[number] > 0 || this.filter.classes.has(number))
      .sort((one, other) => (loud[other] > 0) - (loud[one] > 0) || one - other);
    const known = new Map([...this.chips.children].map((chip) => [Number(chip.dataset.number), chip]));
    for (const [number, chip] of known) if (!chips.includes(number)) chip.remove();
    chips.forEach((number, at) => {
      const chip = known.get(number) ?? element("button", { type: "button", className: "chip", title: capital(WORDS.classes[number].says) });
      chip.dataset.number = number;
      chip.setAttribute("aria-pressed", String(this.filter.classes.has(number)));
      const count = counts[number].toLocaleString("en");
      const key = `${count} ${loud[number] > 0}`;
      if (chip.dataset.shown !== key) {
        chip.dataset.shown = key;
        chip.replaceChildren(badge(number, loud[number] > 0), `${WORDS.classes[number].label} `,
          element("span", { className: "count", textContent: count }));
      }
      if (this.chips.children[at] !== chip) this.chips.insertBefore(chip, this.chips.children[at] ?? null);
    });
  }

  showModules(board) {
    const names = Object.keys(board.modules);
    const key = JSON.stringify(names);
    if (key === this.modules) return;
    this.modules = key;
    const used = new Set([...board.targets.values()].map((target) => target.module));
    document.getElementById("module-box").hidden = used.size < 2;
    const option = (value, textContent) => element("option", { value, textContent });
    document.getElementById("module").replaceChildren(option("", "every module"), ...[...used].sort().map((name) => option(name, name)));
    this.write();
  }

  showTroubles(board) {
    const { error, taken } = board.configuration;
    const lateness = board.lateness();
    const key = JSON.stringify([error, taken, lateness]);
    if (key === this.troubles) return;
    this.troubles = key;
    const box = document.getElementById("troubles");
    box.replaceChildren();
    if (error) {
      const since = unixOf(taken) > 0 ? ` of ${moment(unixOf(taken))}` : "";
      box.append(element("p", {}, element("strong", { textContent: "The configuration was not taken." }), ` That${since} stays in force.`),
        element("pre", { textContent: error }));
    }
    if (lateness.length > 0) {
      box.append(element("p", {}, element("strong", { textContent: "The monitor itself is behind." }),
        ` In the last minutes: ${lateness.join("; ")}.`));
    }
  }

  /** How old all of it is: said quietly while it is new, loudly when it is not. */
  showAge(age, isAnswered) {
    const isStale = !isAnswered && age > 10;
    document.body.classList.toggle("stale", isStale);
    document.getElementById("fresh").textContent = isStale ? "" : "· live";
    const box = document.getElementById("stale");
    box.hidden = !isStale;
    if (isStale) {
      const says = `No answer from the monitor for ${lasting(age)}. What is below is as old as that.`;
      // Said aloud once, not each second.
      if (!this.wasStale) box.replaceChildren(element("strong"));
      box.firstElementChild.textContent = says;
    }
    this.wasStale = isStale;
  }
}

function headline(all, [wrong, , , , fine]) {
  if (all === 0) return "No target is configured";
  if (wrong === 0 && fine === all) return all === 1 ? "The only target is as expected" : `All ${all.toLocaleString("en")} targets are as expected`;
  if (wrong === 0) return "No target is known to be wrong";
  return all === 1 ? "The only target is not as expected"
    : `${wrong.toLocaleString("en")} of ${all.toLocaleString("en")} targets ${wrong === 1 ? "is" : "are"} not as expected`;
}

/** What is neither right nor known to be wrong. */
function doubts(all, [, doubtful, blind, fresh, fine]) {
  if (fine === all) return "";
  const counts = [[fine, "as expected"], [doubtful, "failed, not confirmed yet"], [blind, "could not be judged"], [fresh, "not checked yet"]];
  const says = counts.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en")} ${what}`);
  return says.join(" · ");
}

function noFilter() {
  return { search: "", module: "", classes: new Set() };
}

function isFiltering(filter) {
  return filter.search !== "" || filter.module !== "" || filter.classes.size > 0;
}

function showLegend() {
  const items = WORDS.classes.map((word, number) =>
    element("li", {}, badge(number, true), element("span", {}, element("strong", { textContent: word.label }), `: ${word.says}`)));
  document.getElementById("legend").append(...items);
}
