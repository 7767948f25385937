// picture.js: draws the edges that are in sight and no others, so that its cost does not grow with the matrix.

const LETTER_FROM = 13; // from this size on a cell has room for its letter
const DETAIL_FROM = 9; // from this size on a cell has a shape of its own
const WORDS_FROM = 104; // from this width on a cell has room for its verdict in words
const FONT = "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const LETTER_WIDTH = 7.3; // of the labels' font, in pixels

/** The drawing half of a grid, which knows where everything is. */
class Picture {
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
    return this.colours.ofClass[classOf(this.matrix, cell)].dots[LOUDNESS[this.matrix.judgement[cell]]];
  }

  /** One pixel a cell, which the browser enlarges. */
  drawDots(pen, sight) {
    const [width, height] = [sight.lastColumn - sight.firstColumn, sight.lastRow - sight.firstRow];
    if (width <= 0 || height <= 0) return;
    const box = this.boxOf(sight.firstRow, sight.firstColumn);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.dotsOf(sight, width, height), box.x, box.y, width * this.width, height * this.height);
  }

  /** Kept until something else is in sight, since the pointer moves more often than that. */
  dotsOf(sight, width, height) {
    const key = Object.values(sight).join();
    if (this.dots?.key === key && this.dots.view === this.view && this.dots.colours === this.colours
      && this.dots.rows === this.rows) return this.dots.picture;
    const image = new ImageData(width, height);
    let at = 0;
    for (let row = sight.firstRow; row < sight.lastRow; row++) {
      for (let column = sight.firstColumn; column < sight.lastColumn; column++) {
        image.data.set(this.dotOf(this.cellOf(row, column)), at);
        image.data[at + 3] = 255;
        at += 4;
      }
    }
    const picture = new OffscreenCanvas(width, height);
    picture.getContext("2d").putImageData(image, 0, 0);
    this.dots = { key, picture, view: this.view, colours: this.colours, rows: this.rows };
    return picture;
  }

  drawCells(pen, sight) {
    pen.textBaseline = "middle";
    pen.textAlign = this.hasWords() ? "left" : "center";
    pen.font = this.hasWords() ? `700 14px ${FONT}` : `700 ${Math.min(this.height * 0.62, 15)}px ${FONT}`;
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
    pen.fillStyle = isShown ? own.fill[loudness] : this.colours.fadedFill;
    pen.fillRect(left, top, wide, high);
    if (!isShown) return;
    if (loudness === "striped") drawStripes(pen, own.fill.strong, left, top, wide, high);
    if (height < LETTER_FROM) return;
    pen.fillStyle = loudness === "strong" ? own.ink : own.soft;
    const middle = top + high / 2 + 0.5;
    const cause = this.matrix.causes[this.matrix.cause[cell] - 1];
    const letter = cause ? this.matrix.classes[cause.class].letter : "–";
    if (this.hasWords()) this.drawWords(pen, cell, cause, letter, left, middle, wide);
    else pen.fillText(letter, left + wide / 2, middle);
  }

  drawWords(pen, cell, cause, letter, left, middle, wide) {
    const bold = pen.font;
    pen.fillText(letter, left + 8, middle);
    pen.fillText(JUDGEMENT_MARKS[this.matrix.judgement[cell]], left + wide - 14, middle);
    pen.font = `12px ${FONT}`;
    pen.fillText(elide(cause?.label ?? "no verdict", Math.floor((wide - 44) / LETTER_WIDTH)), left + 24, middle);
    pen.font = bold;
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

