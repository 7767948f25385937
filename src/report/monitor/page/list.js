// list.js: the targets that are in sight, and no others, as rows of one height.

/** Rows above and below what is in sight, for whoever scrolls fast. */
const SPARE = 8;

class List {
  constructor(on) {
    this.on = on;
    this.rows = [];
    this.unfolded = new Set();
    this.places = new Map();
    this.drawn = new Map();
    this.box = document.getElementById("rows");
    this.above = document.getElementById("above");
    this.below = document.getElementById("below");
    this.active = null;
    window.addEventListener("scroll", () => this.draw(), { passive: true });
    window.addEventListener("resize", () => { this.height = 0; this.draw(); });
    this.box.addEventListener("click", (event) => this.clicked(event));
    this.box.addEventListener("focusin", (event) => (this.active = event.target.closest("li")?.dataset.key ?? this.active));
    this.box.addEventListener("pointermove", (event) => (this.hovered = event.target.closest("li")?.dataset.key ?? null));
    this.box.addEventListener("pointerleave", () => (this.hovered = null));
  }

  /** Shows other targets, or the same ones as they are by now: what is looked at stays where it is. */
  show(view, board) {
    const anchor = this.anchor();
    this.board = board;
    this.shown = view.shown;
    this.rows = grouped(view.shown, this.unfolded);
    this.places = new Map(this.rows.map((row, place) => [row.key, place]));
    document.getElementById("nothing").hidden = this.rows.length > 0;
    if (!this.places.has(this.active)) this.active = this.rows[0]?.key ?? null;
    this.draw(true);
    const now = anchor && this.places.get(anchor.key);
    if (now !== null && now !== undefined && now !== anchor.place) {
      window.scrollBy({ top: (now - anchor.place) * this.rowHeight(), behavior: "instant" });
      this.draw(true);
    }
  }

  /** The row that has the focus, or is pointed at, or else the first in sight where the list has been scrolled. */
  anchor() {
    const focused = document.activeElement?.closest?.("#rows li")?.dataset.key;
    const key = [focused, this.hovered].find((key) => key && this.isInSight(key));
    if (key) return { key, place: this.places.get(key) };
    const place = Math.ceil(-this.top() / this.rowHeight());
    return place > 0 && this.rows[place] ? { key: this.rows[place].key, place } : null;
  }

  isInSight(key) {
    const place = this.places.get(key);
    if (place === undefined) return false;
    const top = this.top() + place * this.rowHeight();
    return top > -this.rowHeight() && top < innerHeight;
  }

  /** Where the first row is or would be, from the top of the window. */
  top() {
    return this.above.getBoundingClientRect().top;
  }

  rowHeight() {
    this.height ||= parseFloat(getComputedStyle(this.box).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize);
    return this.height;
  }

  draw(isNew = false) {
    const height = this.rowHeight();
    const first = Math.max(0, Math.min(Math.floor(-this.top() / height) - SPARE, this.rows.length));
    const last = Math.min(this.rows.length, Math.max(first, Math.ceil((innerHeight - this.top()) / height) + SPARE));
    if (!isNew && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    this.above.style.height = `${first * height}px`;
    this.below.style.height = `${(this.rows.length - last) * height}px`;
    const focused = document.activeElement?.closest?.("#rows li")?.dataset.key;
    const drawn = new Map();
    for (let place = first; place < last; place++) {
      const row = this.rows[place];
      const item = this.drawn.get(row.key) ?? element("li");
      this.fill(item, row, place);
      drawn.set(row.key, item);
    }
    this.drawn = drawn;
    this.place([...drawn.values()]);
    if (focused && drawn.has(focused) && document.activeElement === document.body) this.focus(focused);
  }

  /** Moves only what has another place, so that what has the focus keeps it. */
  place(items) {
    const wanted = new Set(items);
    for (const child of [...this.box.children]) if (!wanted.has(child)) child.remove();
    items.forEach((item, at) => {
      if (this.box.children[at] !== item) this.box.insertBefore(item, this.box.children[at] ?? null);
    });
  }

  fill(item, row, place) {
    item.dataset.key = row.key;
    item.setAttribute("aria-posinset", place + 1);
    item.setAttribute("aria-setsize", this.rows.length);
    const made = row.group ? this.groupRow(row) : this.targetRow(row);
    item.className = made.className;
    const old = item.querySelector("a, button");
    const control = made.control;
    control.tabIndex = row.key === this.active ? 0 : -1;
    if (old && old.nodeName === control.nodeName) {
      // The control itself stays, and with it the focus.
      old.replaceChildren(...control.childNodes);
      for (const name of ["class", "href", "aria-expanded", "aria-current", "tabindex"]) {
        if (control.hasAttribute(name)) old.setAttribute(name, control.getAttribute(name));
        else old.removeAttribute(name);
      }
    } else {
      item.replaceChildren(control);
    }
  }

  targetRow({ target, isInGroup }) {
    const rank = RANKS[target.rank];
    const control = element("a", { href: "#" + this.on.linkTo(target.name), className: "row" },
      badge(target.number, target.rank < 3),
      element("span", { className: "who" }, isolated(target.name),
        element("span", { className: "unseen", textContent: `, ${RANK_SAYS[rank]}:` })),
      element("span", { className: "since", textContent: this.sinceOf(target) }),
      element("span", { className: "says", textContent: saysOf(target) }),
      picture(stripAt(target, this.board.minute)),
      element("span", { className: "more" }, ...this.moreOf(target)));
    if (target.name === this.selected) control.setAttribute("aria-current", "true");
    return { className: rank + (isInGroup ? " inner" : ""), control };
  }

  groupRow({ group, story, isOpen }) {
    const [first] = group;
    const earliest = Math.min(...group.map((target) => target.since));
    const says = first.isSame ? first.latest.says : saysOf(first);
    const names = group.slice(0, 3).map((target) => target.name).join(", ");
    const control = element("button", { type: "button", className: "row group" },
      badge(first.number, true),
      element("span", { className: "who", textContent: plural(group.length, "target") + " alike" }),
      element("span", { className: "since", textContent: "for " + lasting(this.board.now() - earliest) }),
      element("span", { className: "says", textContent: says }),
      picture(stripAt(first, this.board.minute)),
      element("span", { className: "more" }, element("span", { textContent: isOpen ? "▾ Fold" : "▸ Show" }),
        isolated(isOpen ? "" : `${names} and ${group.length - 3} more`)));
    control.setAttribute("aria-expanded", String(isOpen));
    control.dataset.story = story;
    return { className: "wrong", control };
  }

  sinceOf(target) {
    if (target.since === null) return "";
    return "for " + lasting(this.board.now() - target.since);
  }

  /** What is below the verdict: doubts first. */
  moreOf(target) {
    const more = [];
    const interval = this.board.modules[target.module]?.interval_s ?? 15;
    const age = target.began === null ? null : this.board.now() - target.began;
    if (age !== null && age > 3 * interval + 10) more.push(element("span", { className: "old", textContent: `not checked for ${lasting(age)}` }));
    if (target.rank === 1) more.push(element("span", { className: "old", textContent: "not confirmed yet" }));
    else if (target.rank !== 2 && target.confirmed && target.latest && !target.isSame) {
      more.push(element("span", { className: "old", textContent: `latest check: ${target.latest.class}, not confirmed yet` }));
    }
    if (target.rank === 0 && target.latest && target.latest.confidence !== "certain" && target.isSame) {
      more.push(element("span", { textContent: target.latest.confidence }));
    }
    for (const label of target.labelTexts) more.push(element("span", { className: "label" }, isolated(label)));
    if (age !== null && age <= 3 * interval + 10) more.push(element("span", { className: "age", textContent: `checked ${lasting(age)} ago` }));
    return more;
  }

  clicked(event) {
    const item = event.target.closest("li");
    if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.activate(item.dataset.key);
  }

  activate(key) {
    const row = this.rows[this.places.get(key)];
    if (!row) return;
    this.active = key;
    if (row.target) return this.on.open(row.target.name);
    if (this.unfolded.has(row.story)) this.unfolded.delete(row.story);
    else this.unfolded.add(row.story);
    this.on.refresh();
  }

  /** Moves the focus by so many rows. */
  move(by) {
    if (this.rows.length === 0) return;
    const hasFocus = document.activeElement?.closest?.("#rows");
    const at = this.places.get(this.active) ?? 0;
    const place = hasFocus ? Math.max(0, Math.min(at + by, this.rows.length - 1)) : at;
    this.focus(this.rows[place].key);
  }

  focus(key) {
    const place = this.places.get(key);
    if (place === undefined) return;
    this.active = key;
    const height = this.rowHeight();
    const top = this.top() + place * height;
    const head = 8;
    if (top < head) window.scrollBy({ top: top - head, behavior: "instant" });
    else if (top + height > innerHeight) window.scrollBy({ top: top + height - innerHeight, behavior: "instant" });
    this.draw(true);
    this.drawn.get(key)?.firstElementChild.focus({ preventScroll: true });
  }

  select(name) {
    this.selected = name;
    this.draw(true);
  }
}

/** What counts, in words: those of the latest check where that says the same. */
function saysOf(target) {
  const { confirmed, latest } = target;
  if (!confirmed) return latest ? latest.says : "not checked yet";
  if (target.rank === 2) return `${confirmed.class}; the latest check could not judge: ${latest.says}`;
  if (target.rank === 1) return `${confirmed.class}, but the latest check says ${latest.says}`;
  if (target.isSame) return latest.says;
  return `${confirmed.class}: ${CAUSES.get(confirmed.cause)?.says ?? confirmed.cause}`;
}
