// grid.js: the picture of all edges. It draws what is in sight alone, so that its cost does not grow with the matrix.

const LARGEST_CELL = 26;
const SMALLEST_CELL = 1.5;
const MOST_EXTENT = 15e6; // browsers place nothing beyond some 16 million pixels
const LETTER_FROM = 13; // from this size on a cell has room for its letter
const DETAIL_FROM = 7; // from this size on a cell has a shape of its own
const WORDS_FROM = 104; // from this width on a cell has room for its verdict in words
const FONT = "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const LETTER_WIDTH = 7.3; // of the labels' font, in pixels

class Grid {
  /** `on` has what is called when a cell is opened or left: open(cell), close(), step(direction). */
  constructor(matrix, on) {
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

  // Drawing

  drawSoon() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.isDue = false;
    if (!this.view) return;
    const pen = this.clean();
    const sight = this.inSight();
    pen.save();
    pen.beginPath();
    pen.rect(this.labelWidth, this.headHeight, this.canvas.clientWidth, this.canvas.clientHeight);
    pen.clip();
    if (this.height < DETAIL_FROM) this.drawDots(pen, sight);
    else this.drawCells(pen, sight);
    this.drawMarks(pen);
    pen.restore();
    this.drawLabels(pen, sight);
  }

  /** An empty picture of the size of what is in sight, in the pixels of the screen. */
  clean() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.scroller.clientWidth, this.scroller.clientHeight];
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.fillStyle = css(this.colours.back);
    pen.fillRect(0, 0, width, height);
    return pen;
  }

  inSight() {
    const first = this.positionAt({ x: this.labelWidth, y: this.headHeight });
    const last = this.positionAt({ x: this.scroller.clientWidth, y: this.scroller.clientHeight });
    return {
      firstRow: Math.max(0, Math.floor(first.row)), lastRow: Math.min(this.rows.length, Math.ceil(last.row)),
      firstColumn: Math.max(0, Math.floor(first.column)),
      lastColumn: Math.min(this.columns.length, Math.ceil(last.column)),
    };
  }

  /** The colour of a cell that is too small for anything else. */
  dotOf(cell) {
    if (cell < 0) return this.colours.back;
    if (!this.view.shown[cell]) return this.colours.faded;
    const own = this.colours.ofClass[classOf(this.matrix, cell)];
    const loudness = LOUDNESS[this.matrix.judgement[cell]];
    return { strong: own.strong, pale: own.pale, striped: mix(own.strong, own.pale, 0.45) }[loudness];
  }

  /** One pixel a cell, which the browser enlarges. */
  drawDots(pen, { firstRow, lastRow, firstColumn, lastColumn }) {
    const [width, height] = [lastColumn - firstColumn, lastRow - firstRow];
    if (width <= 0 || height <= 0) return;
    const image = new ImageData(width, height);
    let at = 0;
    for (let row = firstRow; row < lastRow; row++) {
      for (let column = firstColumn; column < lastColumn; column++) {
        image.data.set(this.dotOf(this.cellOf(row, column)), at);
        image.data[at + 3] = 255;
        at += 4;
      }
    }
    const small = new OffscreenCanvas(width, height);
    small.getContext("2d").putImageData(image, 0, 0);
    const box = this.boxOf(firstRow, firstColumn);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, box.x, box.y, width * this.width, height * this.height);
  }

  drawCells(pen, sight) {
    for (let row = sight.firstRow; row < sight.lastRow; row++) {
      for (let column = sight.firstColumn; column < sight.lastColumn; column++) {
        const cell = this.cellOf(row, column);
        if (cell < 0) this.drawAbsent(pen, this.boxOf(row, column));
        else this.drawCell(pen, cell, this.boxOf(row, column));
      }
    }
  }

  /** An edge that nobody looked at is a dot. */
  drawAbsent(pen, { x, y, width, height }) {
    pen.fillStyle = this.colours.line;
    pen.fillRect(x + width / 2 - 1, y + height / 2 - 1, 2, 2);
  }

  drawCell(pen, cell, { x, y, width, height }) {
    const gap = height >= LETTER_FROM ? 1 : 0.5;
    const [left, top, wide, high] = [x + gap, y + gap, width - 2 * gap, height - 2 * gap];
    const own = this.colours.ofClass[classOf(this.matrix, cell)];
    const loudness = LOUDNESS[this.matrix.judgement[cell]];
    const isShown = this.view.shown[cell] === 1;
    const isStrong = isShown && loudness === "strong";
    pen.fillStyle = css(isShown ? (isStrong ? own.strong : own.pale) : this.colours.faded);
    pen.fillRect(left, top, wide, high);
    if (!isShown) return;
    if (loudness === "striped") drawStripes(pen, css(own.strong), left, top, wide, high);
    if (height < LETTER_FROM) return;
    this.drawText(pen, cell, css(isStrong ? own.ink : this.inkOn(own)), left, top, wide, high);
  }

  /** On a pale fill, text is a class's own colour and some of the text's. */
  inkOn(own) {
    const text = parseColour(this.colours.text);
    return mix(own.strong, text, 0.55);
  }

  drawText(pen, cell, colour, left, top, wide, high) {
    const words = wordsOf(this.matrix, cell);
    const letter = words.class?.letter ?? "–";
    const isStriped = LOUDNESS[this.matrix.judgement[cell]] === "striped";
    pen.fillStyle = colour;
    pen.textBaseline = "middle";
    const middle = top + high / 2 + 0.5;
    if (!this.hasWords()) {
      pen.textAlign = "center";
      pen.font = `700 ${Math.min(high * 0.68, 15)}px ${FONT}`;
      pen.fillText(letter, left + wide / 2, middle);
      return;
    }
    pen.textAlign = "left";
    pen.font = `700 14px ${FONT}`;
    pen.fillText(letter, left + 8, middle);
    pen.font = `12px ${FONT}`;
    const mark = isStriped ? JUDGEMENT_MARKS[this.matrix.judgement[cell]] : "";
    pen.fillText(elide(words.cause?.label ?? "no verdict", Math.floor((wide - 44) / LETTER_WIDTH)), left + 24, middle);
    pen.font = `700 14px ${FONT}`;
    pen.fillText(mark, left + wide - 14, middle);
  }

  /** The bands through the cell under the pointer, and rings around what has the focus or is open. */
  drawMarks(pen) {
    const at = this.hovered;
    if (at) {
      const box = this.boxOf(at.row, at.column);
      pen.fillStyle = this.colours.band;
      pen.fillRect(0, box.y, this.canvas.clientWidth, box.height);
      pen.fillRect(box.x, 0, box.width, this.canvas.clientHeight);
    }
    const open = this.selected >= 0 ? this.placeOf(this.selected) : null;
    if (open) this.drawRing(pen, open, 3, this.colours.text);
    if (this.cursor && document.activeElement === this.scroller) this.drawRing(pen, this.cursor, 2, this.colours.accent);
  }

  /** Around a cell, and never so small that it cannot be seen. */
  drawRing(pen, { row, column }, thick, colour) {
    const box = this.boxOf(row, column);
    const grow = Math.max(0, (10 - box.height) / 2);
    pen.lineWidth = thick;
    pen.strokeStyle = colour;
    pen.strokeRect(box.x - grow, box.y - grow, box.width + 2 * grow, box.height + 2 * grow);
  }

  drawLabels(pen, sight) {
    const { colours } = this;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    pen.fillStyle = colours.head;
    pen.fillRect(0, 0, width, this.headHeight);
    pen.fillRect(0, 0, this.labelWidth, height);
    pen.textBaseline = "middle";
    this.drawRowLabels(pen, sight);
    this.drawColumnLabels(pen, sight);
    this.drawCorner(pen);
  }

  drawRowLabels(pen, { firstRow, lastRow }) {
    pen.save();
    pen.beginPath();
    pen.rect(0, this.headHeight, this.labelWidth, this.canvas.clientHeight);
    pen.clip();
    const marked = this.markedPlaces().map((place) => place.row);
    pen.font = fontOfLabels(this.height);
    const step = labelStep(this.height);
    for (let row = firstRow; row < lastRow; row++) if (row % step === 0) this.drawRowLabel(pen, row, false);
    for (const row of marked) this.drawRowLabel(pen, row, true);
    pen.restore();
  }

  drawRowLabel(pen, row, isMarked) {
    const box = this.boxOf(row, 0);
    const middle = within(box.y + box.height / 2, this.headHeight, isMarked);
    if (middle === null) return;
    const most = Math.floor((this.labelWidth - 12) / LETTER_WIDTH);
    if (isMarked) this.drawMarkedBack(pen, 0, middle - 9, this.labelWidth, 18);
    pen.textAlign = "right";
    pen.fillStyle = isMarked ? this.colours.text : this.colours.quiet;
    pen.fillText(elide(this.nameOfRow(row), most), this.labelWidth - 6, middle);
  }

  drawColumnLabels(pen, { firstColumn, lastColumn }) {
    pen.save();
    pen.beginPath();
    pen.rect(this.labelWidth, 0, this.canvas.clientWidth, this.headHeight);
    pen.clip();
    const marked = this.markedPlaces().map((place) => place.column);
    pen.font = fontOfLabels(this.width);
    const step = labelStep(this.width);
    for (let column = firstColumn; column < lastColumn; column++) {
      if (column % step === 0) this.drawColumnLabel(pen, column, false);
    }
    for (const column of marked) this.drawColumnLabel(pen, column, true);
    pen.restore();
  }

  drawColumnLabel(pen, column, isMarked) {
    const box = this.boxOf(0, column);
    const middle = within(box.x + box.width / 2, this.labelWidth, isMarked);
    if (middle === null) return;
    pen.save();
    pen.translate(middle, this.headHeight - 7);
    if (!this.hasWords()) pen.rotate(-Math.PI / 2);
    const room = this.hasWords() ? box.width - 8 : this.headHeight - 10;
    if (isMarked && !this.hasWords()) this.drawMarkedBack(pen, -7, -9, this.headHeight, 18);
    pen.textAlign = this.hasWords() ? "center" : "left";
    pen.fillStyle = isMarked ? this.colours.text : this.colours.quiet;
    const text = elide(this.nameOfColumn(column), Math.floor(room / LETTER_WIDTH));
    pen.fillText(text, 0, this.hasWords() ? -8 : 0);
    pen.restore();
  }

  drawMarkedBack(pen, x, y, width, height) {
    pen.fillStyle = this.colours.line;
    pen.fillRect(x, y, width, height);
  }

  /** What is open, has the focus or is under the pointer, the last on top. */
  markedPlaces() {
    const open = this.selected >= 0 ? this.placeOf(this.selected) : null;
    const isFocused = document.activeElement === this.scroller;
    const places = [open, isFocused ? this.cursor : null, this.hovered].filter(Boolean);
    const last = places[places.length - 1];
    return this.height < 13 && last ? [last] : places;
  }

  drawCorner(pen) {
    const { colours } = this;
    pen.fillStyle = colours.head;
    pen.fillRect(0, 0, this.labelWidth, this.headHeight);
    pen.fillStyle = colours.quiet;
    pen.font = `italic 12px ${FONT}`;
    pen.textAlign = "right";
    const [down, across] = this.isSwapped ? ["targets", "sources"] : ["sources", "targets"];
    if (this.headHeight >= 40) pen.fillText(`${across} →`, this.labelWidth - 6, this.headHeight - 26);
    pen.fillText(`${down} ↓`, this.labelWidth - 6, this.headHeight - 10);
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(0, this.headHeight - 0.5);
    pen.lineTo(this.canvas.clientWidth, this.headHeight - 0.5);
    pen.moveTo(this.labelWidth - 0.5, 0);
    pen.lineTo(this.labelWidth - 0.5, this.canvas.clientHeight);
    pen.stroke();
  }
}

/** Many targets of few sources are easier to read as a list. */
function isBetterSwapped(matrix) {
  const [sources, targets] = [matrix.sources.length, matrix.targets.length];
  return targets > 30 && targets > 4 * sources;
}

/** The middle of a label, of which half a line is on either side; absent where an unmarked one has no room. */
function within(middle, edge, isMarked) {
  const first = edge + 7;
  if (middle >= first) return middle;
  return isMarked ? first : null;
}

/** Rows that are nearly high enough have smaller labels. */
function fontOfLabels(size) {
  return `${size >= 10 && size < 13 ? 10 : 12}px ${FONT}`;
}

/** Every so many rows have a label. */
function labelStep(size) {
  return size >= 10 ? 1 : Math.ceil(13 / size);
}

function drawStripes(pen, colour, left, top, wide, high) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, wide, high);
  pen.clip();
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.3;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let x = left - high; x < left + wide; x += 6) {
    pen.moveTo(x, top + high);
    pen.lineTo(x + high, top);
  }
  pen.stroke();
  pen.globalAlpha = 0.8;
  pen.strokeRect(left + 0.75, top + 0.75, wide - 1.5, high - 1.5);
  pen.restore();
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

