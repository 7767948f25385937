// grid.js: where the cells of the picture are, how large they are, and which of them is chosen.

const LARGEST_CELL = 26;
const SMALLEST_CELL = 1.5;
const MOST_EXTENT = 15e6; // browsers place nothing beyond some 16 million pixels

class Grid extends Picture {
  /** `on` has what is called when a cell is opened or left: open(cell), close(), step(direction). */
  constructor(matrix, on) {
    super();
    this.matrix = matrix;
    this.on = on;
    this.box = document.getElementById("grid");
    this.scroller = document.getElementById("scroller");
    this.canvas = document.getElementById("picture");
    this.tip = document.getElementById("tip");
    this.isSwapped = isBetterSwapped(matrix);
    this.cursor = null; // a row and a column in sight
    this.hovered = null;
    this.selected = -1;
    this.colours = readColours(matrix.classes);
    this.listen();
  }

  /** Shows what the filter lets through. */
  show(view) {
    this.view = view;
    this.cursor = null;
    this.arrange();
    this.fitAtFirst();
  }

  /** Rows and columns in sight, as places in the matrix. */
  arrange() {
    this.rows = this.isSwapped ? this.view.targets : this.view.sources;
    this.columns = this.isSwapped ? this.view.sources : this.view.targets;
    this.placeOfRow = inverse(this.rows);
    this.placeOfColumn = inverse(this.columns);
    this.box.classList.toggle("empty", this.view.count === 0);
    document.getElementById("nothing").hidden = this.view.count > 0;
  }

  swap() {
    this.isSwapped = !this.isSwapped;
    this.cursor = null;
    this.arrange();
    this.fitAtFirst();
  }

  nameOfRow(row) {
    return this.isSwapped ? this.matrix.targets[this.rows[row]] : this.matrix.sources[this.rows[row]].name;
  }

  nameOfColumn(column) {
    return this.isSwapped ? this.matrix.sources[this.columns[column]].name : this.matrix.targets[this.columns[column]];
  }

  /** The cell of a row and a column in sight, or -1. */
  cellOf(row, column) {
    const [source, target] = this.isSwapped
      ? [this.columns[column], this.rows[row]]
      : [this.rows[row], this.columns[column]];
    return cellAt(this.matrix, source, target);
  }

  /** Where a cell is in sight; absent where the filter hides it. */
  placeOf(cell) {
    const { source, target } = this.matrix;
    const [row, column] = this.isSwapped ? [target[cell], source[cell]] : [source[cell], target[cell]];
    if (!this.placeOfRow.has(row) || !this.placeOfColumn.has(column)) return null;
    return { row: this.placeOfRow.get(row), column: this.placeOfColumn.get(column) };
  }

  // Sizes

  /** Cells as large as they may be for all to be in sight, or large enough to be read where that would be too small. */
  fitAtFirst() {
    const fit = this.fittingSize();
    const isOverview = fit >= SMALLEST_CELL && this.columns.length > 8;
    this.resize(fit >= LETTER_FROM ? fit : isOverview ? fit : 20);
  }

  fit() {
    this.resize(this.fittingSize());
  }

  fittingSize() {
    this.measure(LARGEST_CELL);
    const width = (this.box.clientWidth - this.labelWidth - 2) / this.columns.length;
    const height = (this.mostHeight() - this.headHeight - 2) / this.rows.length;
    return clamp(Math.min(width, height), SMALLEST_CELL, LARGEST_CELL);
  }

  /** As high as the window lets it be. */
  mostHeight() {
    return Math.max(320, window.innerHeight - (window.innerWidth < 700 ? 150 : 90));
  }

  /** Sets the size of a cell, keeping what is at `anchor` where it is. */
  resize(size, anchor = null) {
    const before = this.size && anchor ? this.positionAt(anchor) : null;
    const longest = Math.max(this.rows.length, this.columns.length, 1);
    this.size = clamp(size, SMALLEST_CELL, Math.min(LARGEST_CELL + 6, MOST_EXTENT / longest));
    this.measure(this.size);
    const extent = document.getElementById("extent").style;
    extent.width = `${this.labelWidth + this.columns.length * this.width}px`;
    extent.height = `${this.headHeight + this.rows.length * this.height}px`;
    const wanted = this.headHeight + this.rows.length * this.height + 2;
    const bar = this.scroller.offsetHeight - this.scroller.clientHeight;
    this.box.style.height = `${Math.min(wanted + Math.max(bar, 0), this.mostHeight())}px`;
    if (before) this.scrollSo(before, anchor);
    this.draw();
  }

  /** Widths and heights that follow from the size of a cell. */
  measure(size) {
    const narrow = this.box.clientWidth < 600;
    const longestRow = longest(this.rows.length, (row) => this.nameOfRow(row));
    this.labelWidth = clamp(longestRow * LETTER_WIDTH + 16, 84, this.box.clientWidth * (narrow ? 0.42 : 0.3));
    const room = (this.box.clientWidth - this.labelWidth - 18) / Math.max(this.columns.length, 1);
    const hasWords = size >= 18 && room >= WORDS_FROM;
    this.height = hasWords ? Math.max(size, 24) : size;
    this.width = hasWords ? Math.min(room, 230) : size;
    const longestColumn = longest(this.columns.length, (column) => this.nameOfColumn(column));
    this.headHeight = hasWords ? 30 : clamp(longestColumn * LETTER_WIDTH + 14, 40, narrow ? 120 : 170);
  }

  hasWords() {
    return this.width >= WORDS_FROM;
  }

  zoom(factor, anchor) {
    this.resize(this.size * factor, anchor ?? { x: this.labelWidth, y: this.headHeight });
  }

  /** Rows and columns, in fractions, at a place of the picture. */
  positionAt({ x, y }) {
    return {
      row: (y - this.headHeight + this.scroller.scrollTop) / this.height,
      column: (x - this.labelWidth + this.scroller.scrollLeft) / this.width,
    };
  }

  scrollSo({ row, column }, { x, y }) {
    this.scroller.scrollTop = row * this.height + this.headHeight - y;
    this.scroller.scrollLeft = column * this.width + this.labelWidth - x;
  }

  scrollTo({ row, column }) {
    const { scroller } = this;
    scroller.scrollTop = nearest(scroller.scrollTop, row * this.height, this.height,
      scroller.clientHeight - this.headHeight);
    scroller.scrollLeft = nearest(scroller.scrollLeft, column * this.width, this.width,
      scroller.clientWidth - this.labelWidth);
  }

  /** Where a row and a column are in the picture. */
  boxOf(row, column) {
    return {
      x: this.labelWidth + column * this.width - this.scroller.scrollLeft,
      y: this.headHeight + row * this.height - this.scroller.scrollTop,
      width: this.width,
      height: this.height,
    };
  }

  /** The row and column under a place of the picture; absent over labels and beside the grid. */
  under({ x, y }) {
    if (x < this.labelWidth || y < this.headHeight) return null;
    const position = this.positionAt({ x, y });
    const [row, column] = [Math.floor(position.row), Math.floor(position.column)];
    return row < this.rows.length && column < this.columns.length ? { row, column } : null;
  }

  // Choosing

  /** Marks the cell that is open, and brings it into sight. */
  select(cell) {
    this.selected = cell;
    const place = cell >= 0 ? this.placeOf(cell) : null;
    if (place) {
      this.cursor = place;
      this.scrollTo(place);
    }
    this.draw();
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    scroller.addEventListener("pointermove", (event) => this.hover(this.under(offset(event)), event));
    scroller.addEventListener("pointerleave", () => this.hover(null));
    scroller.addEventListener("click", (event) => this.click(this.under(offset(event))));
    scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    scroller.addEventListener("keydown", (event) => this.key(event));
    scroller.addEventListener("focus", () => this.drawSoon());
    scroller.addEventListener("blur", () => this.drawSoon());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colours = readColours(this.matrix.classes);
      this.drawSoon();
    });
    let width = 0;
    new ResizeObserver(() => {
      if (this.view && this.box.clientWidth !== width) this.fitAtFirst();
      width = this.box.clientWidth;
    }).observe(this.box);
  }

  click(place) {
    if (!place) return;
    this.cursor = place;
    this.hover(null);
    const cell = this.cellOf(place.row, place.column);
    if (cell >= 0) this.on.open(cell);
    else this.draw();
  }

  hover(place, event) {
    const isSame = place?.row === this.hovered?.row && place?.column === this.hovered?.column;
    this.hovered = place;
    if (!isSame) this.drawSoon();
    this.showTip(event);
  }

  showTip(event) {
    const { hovered, tip } = this;
    tip.hidden = !hovered || event?.pointerType === "touch";
    if (tip.hidden) return;
    tip.textContent = this.say(hovered);
    const at = offset(event);
    const room = this.box.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${clamp(at.x + 14, 0, Math.max(room, 0))}px`;
    const below = at.y + 20;
    const isBelow = below + tip.offsetHeight < this.box.clientHeight;
    tip.style.top = `${isBelow ? below : Math.max(at.y - tip.offsetHeight - 8, 0)}px`;
  }

  say({ row, column }) {
    const cell = this.cellOf(row, column);
    if (cell >= 0) return sentenceOf(wordsOf(this.matrix, cell));
    return `${this.nameOfRow(row)}, ${this.nameOfColumn(column)}: not looked at`;
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, offset(event));
  }

  key(event) {
    if (event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((this.scroller.clientHeight - this.headHeight) / this.height) - 1);
    const moves = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      PageUp: [-page, 0], PageDown: [page, 0], Home: [0, -Infinity], End: [0, Infinity],
    };
    const actions = {
      Enter: () => this.cursor && this.click(this.cursor), " ": () => this.cursor && this.click(this.cursor),
      "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3), 0: () => this.fit(),
      n: () => this.on.step(1), p: () => this.on.step(-1), Escape: () => this.on.close(),
    };
    if (event.ctrlKey && event.key !== "Home" && event.key !== "End") return;
    if (moves[event.key]) this.move(moves[event.key], event.ctrlKey);
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
  }

  move([down, right], isToCorner) {
    if (this.view.count === 0) return;
    const last = { row: this.rows.length - 1, column: this.columns.length - 1 };
    const from = this.cursor ?? this.firstInSight(down, right);
    this.cursor = {
      row: clamp(from.row + (isToCorner ? right : down), 0, last.row),
      column: clamp(from.column + right, 0, last.column),
    };
    this.scrollTo(this.cursor);
    document.getElementById("spoken").textContent = this.say(this.cursor);
    this.draw();
  }

  /** The first step is to the first cell in sight. */
  firstInSight(down, right) {
    const first = this.positionAt({ x: this.labelWidth, y: this.headHeight });
    return { row: Math.ceil(first.row) - down, column: Math.ceil(first.column) - right };
  }
}

/** Many targets of few sources are easier to read as a list. */
function isBetterSwapped(matrix) {
  const [sources, targets] = [matrix.sources.length, matrix.targets.length];
  return targets > 30 && targets > 4 * sources;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

function inverse(places) {
  return new Map(places.map((place, index) => [place, index]));
}

/** The length of the longest of so many names. */
function longest(number, nameOf) {
  let most = 0;
  for (let index = 0; index < number; index++) most = Math.max(most, nameOf(index).length);
  return most;
}

/** Where to scroll to for a cell to be in sight, moving as little as can be. */
function nearest(scrolled, begin, size, room) {
  if (begin < scrolled) return begin;
  return Math.max(scrolled, begin + size - room);
}

/** Where in the picture an event is. */
function offset(event) {
  const box = document.getElementById("scroller").getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

