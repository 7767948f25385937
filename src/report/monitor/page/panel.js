// panel.js: everything that is known of one target, as the text of a single check says it.

class Panel {
  constructor(on) {
    this.on = on;
    this.box = document.getElementById("panel");
    this.target = document.getElementById("target");
    this.body = element("div");
    this.heading = element("h2", { tabIndex: -1 });
    this.newer = element("button", { type: "button", className: "newer", textContent: "There is a newer check. Show it", hidden: true });
    this.newer.addEventListener("click", () => { this.fill(this.waiting); this.heading.focus({ preventScroll: true }); });
    const close = element("button", { type: "button", textContent: "← All targets", className: "close" });
    close.addEventListener("click", () => on.close());
    this.target.append(
      element("header", {}, close, copyButton("Copy link", () => location.href), this.newer),
      this.heading, this.body);
  }

  /** Another target: it is said at once that it is on its way. */
  async open(name) {
    this.name = name;
    this.written = null;
    this.heading.replaceChildren(isolated(name));
    this.body.replaceChildren(element("p", { className: "note", textContent: "Asking the monitor …" }));
    this.newer.hidden = true;
    this.show(true);
    this.box.scrollTop = 0;
    this.heading.focus({ preventScroll: true });
    await this.refresh();
  }

  /** Asks again; what is being read or copied stays as it is. */
  async refresh() {
    const { name } = this;
    if (name === null || name === undefined) return;
    let document;
    try {
      document = await fetchJson(`api/target?name=${encodeURIComponent(name)}`, 10000);
    } catch (error) {
      if (this.name !== name || this.written) return;
      const says = error.status === 404 ? "The monitor does not watch such a target (any more)." : "The monitor does not answer. Asking again …";
      this.body.replaceChildren(element("p", { className: "trouble", textContent: says }));
      return;
    }
    if (this.name !== name) return;
    if (this.written && this.isBeingRead() && document.latest?.began !== this.written) {
      this.waiting = document;
      this.newer.hidden = false;
      return;
    }
    this.fill(document);
  }

  isBeingRead() {
    const selection = getSelection();
    return this.body.contains(globalThis.document.activeElement)
      || (!selection.isCollapsed && this.body.contains(selection.anchorNode));
  }

  fill(document) {
    this.newer.hidden = true;
    this.written = document.latest?.began ?? "none";
    const { scrollTop } = this.box;
    const unfolded = [...this.body.querySelectorAll("details")].map((details) => details.open);
    const entry = prepared(document, Math.floor(unixOf(document.at) / 60));
    const now = unixOf(document.at);
    const others = (document.story?.parts ?? []).map((part) => partOf(part, document.story.parts.length > 1));
    this.body.replaceChildren(
      verdictOf(entry, now, this.on.modules()[entry.module]),
      element("div", { className: "hour" }, picture(entry.strip),
        element("p", { className: "scale" }, element("span", { textContent: "an hour ago" }), element("span", { textContent: "now" }))),
      ...others,
      ...meaningOf(entry),
      ...namesOf(document.story?.name ?? []),
      factsOf(document, now, this.on.modules()[entry.module]));
    [...this.body.querySelectorAll("details")].forEach((details, at) => (details.open = unfolded[at] ?? false));
    this.box.scrollTop = scrollTop;
  }

  close() {
    this.name = null;
    this.show(false);
  }

  show(isOpen) {
    this.target.hidden = !isOpen;
    document.getElementById("help").hidden = isOpen;
    document.body.classList.toggle("open", isOpen);
  }
}

/** Whether it is as expected, since when, and what is not certain of that. */
function verdictOf(entry, now, module) {
  const { confirmed, latest } = entry;
  const box = element("div", { className: "verdict " + RANKS[entry.rank] });
  box.append(element("p", { className: "result" }, badge(entry.number, entry.rank < 3),
    element("strong", { textContent: capital(RANK_SAYS[RANKS[entry.rank]]) })));
  if (confirmed) {
    box.append(element("p", {}, code(`${confirmed.class}/${confirmed.cause}`), ` for ${lasting(now - entry.since)}, since ${moment(entry.since)}.`));
  }
  const isOther = confirmed && latest && confirmed.class !== latest.class;
  if (isOther && latest.judged !== "could-not-judge") {
    const says = `says ${latest.class}/${latest.cause}. That counts after ${plural(module?.confirm ?? 2, "check")} in a row.`;
    box.append(element("p", { textContent: `The latest check ${says}` }));
  }
  if (entry.blind > 0) {
    const says = `${entry.blind === 1 ? "The latest check" : `The latest ${entry.blind} checks`} could not judge: `;
    box.append(element("p", { textContent: says + "our own side failed, or time ran out. What was confirmed before stays." }));
  }
  if (latest) box.append(element("p", { className: "note", textContent: `Checked ${lasting(now - entry.began)} ago, at ${moment(entry.began)}.` }));
  return box;
}

/** One verdict of the latest check: what was seen, why, what else, what next. */
function partOf(part, isOneOfSeveral) {
  const number = CLASS_NUMBER.get(part.class);
  const box = element("section", { className: "part" });
  box.append(element("h3", {}, isOneOfSeveral ? badge(number, part.class !== "open") : "", isolated(part.about)));
  box.append(element("p", { className: "summary" }, code(`${part.class}/${part.cause}`), ` (${part.confidence})`, part.says));
  appendSection(box, "Next", part.next, steps);
  appendSection(box, part.seen.heading, part.seen.items, seenList);
  appendSection(box, "Why", part.why, bullets);
  appendSection(box, part.others.heading, part.others.items, bullets);
  appendSection(box, "Also", part.findings, bullets);
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
    if (command) step.append(element("div", { className: "command" }, code(command), copyButton("Copy", () => command)));
    list.append(step);
  }
  return list;
}

/** What tcpprobe explain says of the verdict. */
function meaningOf({ confirmed, latest }) {
  const verdict = latest ?? confirmed;
  const texts = verdict && CAUSES.get(verdict.cause);
  if (!texts || verdict.class === "open") return [];
  const box = element("details", { className: "part" }, element("summary", { textContent: `What ${verdict.class}/${verdict.cause} means` }),
    element("p", { textContent: texts.meaning }));
  appendSection(box, "What to do", texts.what_to_do, bullets);
  appendSection(box, "What does not help", texts.what_not_to_do, bullets);
  return [box];
}

function namesOf(sentences) {
  if (sentences.length === 0) return [];
  const paragraphs = sentences.map((sentence) => element("p", { textContent: sentence }));
  return [element("section", { className: "part" }, element("h3", { textContent: "The name" }), ...paragraphs)];
}

/** What is configured, and what was counted since the monitor began. */
function factsOf(document, now, module) {
  const holds = module?.hold_s ? `, with a connection that is idle for ${brief(module.hold_s)}` : "";
  const counts = Object.entries(document.checks).filter(([, count]) => count > 0);
  const facts = [
    ["Target", document.host],
    ["Expected", document.expected.join(", ")],
    ["Module", `${document.module}: every ${brief(document.interval_s)}${holds}, a change counts after ${plural(document.confirm, "check")}`],
    ...Object.entries(document.labels),
    ["Checks", counts.map(([label, count]) => `${count.toLocaleString("en")} ${label}`).join(", ")],
    ["Handshakes", document.handshakes > 0 && `${document.handshakes.toLocaleString("en")}, ${brief(document.mean_connect_s)} on average`],
    ["SYNs sent again", document.syn_retransmits > 0 && document.syn_retransmits.toLocaleString("en")],
    ["Begun late", document.late > 0 && document.late.toLocaleString("en")],
    ["Left out", document.left_out > 0 && document.left_out.toLocaleString("en")],
  ];
  const list = element("dl", { className: "facts" });
  for (const [name, value] of facts) {
    if (value) list.append(element("dt", {}, isolated(name)), element("dd", {}, isolated(value)));
  }
  const raw = element("a", { href: `api/target?name=${encodeURIComponent(document.name)}`, textContent: "All of it as JSON" });
  return element("section", { className: "part" }, element("h3", { textContent: "The watch" }), list, element("p", {}, raw));
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A button that puts a text on the clipboard, and says whether that worked. */
function copyButton(label, textOf) {
  const button = element("button", { type: "button", className: "copy", textContent: label });
  button.addEventListener("click", async () => {
    button.textContent = (await copy(textOf())) ? "Copied" : "Not permitted";
    setTimeout(() => { button.textContent = label; button.blur(); }, 1500);
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
