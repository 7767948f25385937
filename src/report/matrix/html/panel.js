// panel.js: everything that there is to say of one edge, as the text of a single check says it.

class Panel {
  constructor(matrix, on) {
    this.matrix = matrix;
    this.on = on;
    this.box = document.getElementById("panel");
    this.edge = document.getElementById("edge");
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") on.close();
      if (event.target.closest("input, button, a")) return;
      if (event.key === "n") on.step(1);
      if (event.key === "p") on.step(-1);
    });
  }

  /** Shows a cell; another one that is opened before this one is unpacked wins. */
  async open(cell) {
    this.wanted = cell;
    const { edge, story } = await readStory(this.matrix, cell);
    if (this.wanted !== cell) return;
    const words = wordsOf(this.matrix, cell);
    this.edge.replaceChildren(
      this.head(words),
      verdictOf(words, edge),
      ...story.parts.map((part) => partOf(part, this.matrix)),
      ...namesOf(story.name),
      factsOf(words, edge, this.matrix.sources[this.matrix.source[cell]].about),
    );
    this.show(true);
  }

  close() {
    this.wanted = -1;
    this.show(false);
  }

  show(isOpen) {
    this.edge.hidden = !isOpen;
    document.getElementById("help").hidden = isOpen;
    document.body.classList.toggle("open", isOpen);
    if (isOpen) this.box.scrollTop = 0;
  }

  head(words) {
    const button = (text, title, action) => {
      const made = element("button", { type: "button", textContent: text, title });
      made.addEventListener("click", action);
      return made;
    };
    return element("header", {},
      element("div", { className: "tools" },
        button("← Previous", "The previous edge that is not as expected (p)", () => this.on.step(-1)),
        button("Next →", "The next edge that is not as expected (n)", () => this.on.step(1)),
        copyButton("Copy link", () => location.href),
        button("Close", "Close (Escape)", () => this.on.close())),
      element("h2", {},
        element("span", { textContent: words.source }), " → ", element("span", { textContent: words.target })));
  }
}

/** Whether it is as expected, and what shows that. */
function verdictOf(words, edge) {
  const box = element("div", { className: "verdict " + words.judgement.label });
  const letter = words.class?.letter ?? "–";
  box.append(element("p", { className: "result" },
    sample(words.classNumber, "strong", letter),
    element("strong", { textContent: words.judgement.says })));
  box.append(element("p", {}, "Expected ", code(words.demand.expected), ", found ", code(words.verdict),
    words.confidence ? ` (${words.confidence}).` : "."));
  if (edge.why) box.append(element("p", { textContent: capital(edge.why) + "." }));
  if (edge.proof) box.append(element("p", { textContent: `The target is alive: ${edge.proof}.` }));
  if (words.change) box.append(element("p", { textContent: changeOf(words.change, edge) }));
  for (const rule of words.demand.rules) {
    box.append(element("p", { className: "rule" }, "Rule: ", element("q", { textContent: rule })));
  }
  return box;
}

function changeOf(change, edge) {
  return `Since the baseline: ${change.says}${edge.was ? ` (it was ${edge.was})` : ""}.`;
}

/** One verdict: what was seen, why, what else, what next. */
function partOf(part, matrix) {
  const box = element("section", { className: "part" });
  box.append(element("h3", { textContent: part.about }));
  const number = matrix.classes.findIndex((word) => word.label === part.class);
  box.append(element("p", { className: "says" }, sample(number, "pale", matrix.classes[number].letter),
    code(`${part.class}/${part.cause}`), ` (${part.confidence})`, part.says));
  appendSection(box, part.seen.heading, part.seen.items, seenList);
  appendSection(box, "Why", part.why, bullets);
  appendSection(box, part.others.heading, part.others.items, bullets);
  appendSection(box, "Also", part.findings, bullets);
  appendSection(box, "Next", part.next, steps);
  for (const note of part.notes) box.append(element("p", { className: "note", textContent: note }));
  return box;
}

function appendSection(box, heading, items, make) {
  if (items.length > 0) box.append(element("h4", { textContent: heading }), make(items));
}

function seenList(items) {
  const list = element("dl", { className: "seen" });
  for (const { lead, says } of items) {
    list.append(element("dt", { textContent: lead }), element("dd", { textContent: says }));
  }
  return list;
}

function bullets(items) {
  return element("ul", {}, ...items.map((item) => element("li", { textContent: item })));
}

function steps(items) {
  const list = element("ol", { className: "next" });
  for (const { says, command } of items) {
    const step = element("li", {}, element("p", { textContent: says }));
    if (command) step.append(commandBox(command));
    list.append(step);
  }
  return list;
}

function commandBox(command) {
  return element("div", { className: "command" }, code(command), copyButton("Copy", () => command));
}

function namesOf(sentences) {
  if (sentences.length === 0) return [];
  const paragraphs = sentences.map((sentence) => element("p", { textContent: sentence }));
  return [element("section", { className: "part" }, element("h3", { textContent: "The name" }), ...paragraphs)];
}

/** Where it was looked from, when, and how. */
function factsOf(words, edge, about) {
  const facts = [
    ["Source", words.source], ["Pod", about.pod], ["Namespace", about.namespace], ["Node", about.node],
    ["Address", about.ip], ["Host", about.host], ["Target", words.target],
    ["Looked at", edge.concluded && `${momentOf(edge.concluded)}, ${plural(edge.tried, "time")} of at most ${words.demand.tries}`],
    ["Timeout", `${words.demand.timeout_s} s`],
    ["Controls", words.demand.controls.join(", ")],
  ];
  const list = element("dl", { className: "facts" });
  for (const [name, value] of facts) {
    if (value) list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  }
  return element("section", { className: "part" }, element("h3", { textContent: "The look" }), list);
}

/** To the second: how long it took is in what was seen. */
function momentOf(rfc3339) {
  return rfc3339.slice(0, 19).replace("T", " ") + " UTC";
}

function code(text) {
  return element("code", { textContent: text });
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A button that puts a text on the clipboard, and says whether that worked. */
function copyButton(label, textOf) {
  const button = element("button", { type: "button", className: "copy", textContent: label });
  button.addEventListener("click", async () => {
    button.textContent = (await copy(textOf())) ? "Copied" : "Not permitted";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

/** A page that came over plain HTTP has no clipboard, and has to select the text. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { value: text, className: "unseen" });
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}

