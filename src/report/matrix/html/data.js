"use strict";

// data.js: unpacks what the page carries (see html/pack.rs for its form).

const unpackedChunks = new Map();
const MOST_CHUNKS = 16;

/** The bytes of a packed block. */
async function unpack(id) {
  const letters = atob(document.getElementById(id).textContent);
  const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpackJson(id) {
  return JSON.parse(new TextDecoder().decode(await unpack(id)));
}

/** All edges, as far as the grid and the list need them. */
async function readMatrix() {
  const matrix = await unpackJson("index");
  const cells = readCells(await unpack("cells"), matrix.targets.length);
  return { ...matrix, ...cells, firstOfRow: firstOfEachRow(cells.source, matrix.sources.length) };
}

function readCells(bytes, targets) {
  let at = 0;
  const varint = () => {
    let number = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      number += (byte & 127) * scale;
      if (byte < 128) return number;
      scale *= 128;
    }
  };
  const lists = { source: [], target: [], cause: [], judgement: [], confidence: [], demand: [], change: [] };
  let place = 0;
  while (at < bytes.length) {
    place += varint();
    lists.source.push(Math.floor(place / targets));
    lists.target.push(place % targets);
    place += 1;
    for (const field of ["cause", "judgement", "confidence", "demand", "change"]) lists[field].push(varint());
  }
  const cells = { count: lists.source.length };
  for (const [field, list] of Object.entries(lists)) cells[field] = Uint32Array.from(list);
  return cells;
}

/** Where each row begins among the cells, and where the last one ends. */
function firstOfEachRow(source, rows) {
  const first = new Uint32Array(rows + 1);
  for (const row of source) first[row + 1] += 1;
  for (let row = 0; row < rows; row++) first[row + 1] += first[row];
  return first;
}

/** The cell of a source and a target, or -1. */
function cellAt(matrix, source, target) {
  let low = matrix.firstOfRow[source];
  let high = matrix.firstOfRow[source + 1] - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = matrix.target[middle];
    if (found === target) return middle;
    if (found < target) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Everything that there is to say of a cell. */
async function readStory(matrix, cell) {
  const number = Math.floor(cell / matrix.chunk);
  const chunk = await readChunk(number);
  const edge = chunk.edges[cell % matrix.chunk];
  return { edge, story: JSON.parse(chunk.stories[edge.story]) };
}

async function readChunk(number) {
  if (!unpackedChunks.has(number)) {
    if (unpackedChunks.size >= MOST_CHUNKS) unpackedChunks.delete(unpackedChunks.keys().next().value);
    unpackedChunks.set(number, await unpackJson("stories-" + number));
  }
  return unpackedChunks.get(number);
}

/** What the vocabulary says of a cell; a run that ended early has no verdict. */
function wordsOf(matrix, cell) {
  const cause = matrix.causes[matrix.cause[cell] - 1];
  const judgement = matrix.judgements[matrix.judgement[cell]];
  const demand = matrix.demands[matrix.demand[cell]];
  const change = matrix.changes[matrix.change[cell] - 1];
  return {
    source: matrix.sources[matrix.source[cell]].name,
    target: matrix.targets[matrix.target[cell]],
    classNumber: classOf(matrix, cell),
    class: cause && matrix.classes[cause.class],
    verdict: cause ? matrix.classes[cause.class].label + "/" + cause.label : "no verdict",
    cause,
    confidence: matrix.confidences[matrix.confidence[cell] - 1],
    judgement,
    demand,
    change,
  };
}

/** Without a verdict nothing is known. */
function classOf(matrix, cell) {
  const cause = matrix.causes[matrix.cause[cell] - 1];
  return cause ? cause.class : matrix.classes.length - 1;
}

