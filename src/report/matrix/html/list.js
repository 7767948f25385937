// list.js: the edges as a table, the unexpected first, a page of rows at a time.

const ROWS = 50;

class List {
  constructor(matrix, on) {
    this.matrix = matrix;
    this.on = on;
    this.first = 0;
    document.getElementById("page-back").addEventListener("click", () => this.turn(-ROWS));
    document.getElementById("page-on").addEventListener("click", () => this.turn(ROWS));
    this.showGone();
  }

  show(cells) {
    this.cells = cells;
    this.first = 0;
    this.draw();
  }

  turn(by) {
    this.first = clamp(this.first + by, 0, this.cells.length - 1);
    this.draw();
    document.getElementById("list").scrollIntoView({ block: "start" });
  }

  draw() {
    const page = this.cells.slice(this.first, this.first + ROWS);
    document.getElementById("rows").replaceChildren(...page.map((cell) => this.row(cell)));
    const last = this.first + page.length;
    const which = this.cells.length === 0
      ? "No edge is like that."
      : `${(this.first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${plural(this.cells.length, "edge")}`;
    document.getElementById("page-which").textContent = which;
    document.getElementById("page-back").disabled = this.first === 0;
    document.getElementById("page-on").disabled = last >= this.cells.length;
  }

  row(cell) {
    const words = wordsOf(this.matrix, cell);
    const link = element("a", { href: "#" + this.on.linkTo(cell), textContent: `${words.source} → ${words.target}` });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.on.open(cell, link);
    });
    const row = element("tr", { className: words.judgement.label },
      element("td", { textContent: words.judgement.says }),
      element("td", {}, link),
      element("td", { textContent: words.demand.expected }),
      element("td", {},
        sample(words.classNumber, LOUDNESS[this.matrix.judgement[cell]], words.class?.letter ?? "–"), words.verdict));
    row.dataset.cell = cell;
    row.setAttribute("aria-current", String(cell === this.selected));
    return row;
  }

  /** Marks the edge that is open. */
  select(cell) {
    this.selected = cell;
    for (const row of document.getElementById("rows").children) {
      row.setAttribute("aria-current", String(Number(row.dataset.cell) === cell));
    }
  }

  /** Edges that only the baseline had are in no cell. */
  showGone() {
    const box = document.getElementById("gone");
    box.hidden = this.matrix.gone.length === 0;
    const shown = this.matrix.gone.slice(0, 1000);
    const more = this.matrix.gone.length - shown.length;
    const items = more > 0 ? [...shown, `and ${more.toLocaleString("en")} more`] : shown;
    box.querySelector("ul").append(...items.map((item) => element("li", { textContent: item })));
  }
}

