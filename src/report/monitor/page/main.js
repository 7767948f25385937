// main.js: puts the parts together, asks again, and keeps what is chosen in the address, so that a link shows the same.

/** From one question to the next. Ten thousand targets are asked for less often. */
const PAUSE = 3000;
const LONG_PAUSE = 10000;
const MANY = 2000;

function main() {
  const board = new Board();
  const filter = noFilter();
  const state = { name: null, hasPushed: false, answered: performance.now(), isAnswered: true };
  const on = {
    open: (name) => open(name),
    close: () => close(),
    refresh: () => refresh(),
    linkTo: (name) => address(filter, name),
    modules: () => board.modules ?? {},
  };
  const list = new List(on);
  const panel = new Panel(on);
  const head = new Head(filter, () => { refresh(); remember(); });

  function refresh() {
    if (!board.modules) return;
    const view = board.view(filter);
    // Which rows are in sight is known when nothing is above them any more.
    document.getElementById("plain").hidden = true;
    head.show(board, view);
    list.show(view, board);
  }

  /** The next question follows the answer to the one before: a monitor that is slow is not asked more. */
  async function ask() {
    try {
      await Promise.all([board.ask(10000), state.name === null ? null : panel.refresh()]);
      state.answered = performance.now();
      state.isAnswered = true;
      refresh();
    } catch {
      state.isAnswered = false;
    }
    tick();
    clearTimeout(state.due);
    state.due = setTimeout(ask, document.hidden ? 60000 : board.targets.size > MANY ? LONG_PAUSE : PAUSE);
  }

  function tick() {
    const age = (performance.now() - state.answered) / 1000;
    head.showAge(age, state.isAnswered && age < LONG_PAUSE / 500);
  }

  function open(name) {
    if (state.name === null) {
      state.hasPushed = true;
      state.scrolled = scrollY;
      history.pushState(null, "", "#" + address(filter, name));
    } else {
      history.replaceState(null, "", "#" + address(filter, name));
    }
    show(name);
  }

  function show(name) {
    state.name = name;
    list.select(name);
    panel.open(name);
  }

  /** As the browser's own way back does, where that leads to the list. */
  function close() {
    if (state.name === null) return;
    if (state.hasPushed) return history.back();
    leave();
    remember();
  }

  function leave() {
    const { name } = state;
    Object.assign(state, { name: null, hasPushed: false });
    panel.close();
    list.select(null);
    if (state.scrolled !== undefined) scrollTo({ top: state.scrolled, behavior: "instant" });
    list.focus("t:" + name);
  }

  function remember() {
    history.replaceState(null, "", "#" + address(filter, state.name));
  }

  /** Takes the filter and the target from the address. */
  function recall() {
    const words = new URLSearchParams(location.hash.slice(1));
    const labels = (words.get("class") ?? "").split(",");
    filter.classes = new Set(WORDS.classes.map((_, number) => number).filter((number) => labels.includes(WORDS.classes[number].label)));
    filter.search = words.get("search") ?? "";
    filter.module = words.get("module") ?? "";
    head.write();
    refresh();
    const name = words.get("target");
    if (name === state.name) return;
    if (name === null) leave();
    else show(name);
  }

  listenToKeys(list, on, state);
  showLegend();
  window.addEventListener("popstate", recall);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  setInterval(tick, 1000);
  recall();
  return { first: ask(), ask, state };
}

function address(filter, name) {
  const words = new URLSearchParams();
  if (name !== null) words.set("target", name);
  if (filter.classes.size > 0) words.set("class", [...filter.classes].map((number) => WORDS.classes[number].label).join(","));
  if (filter.search) words.set("search", filter.search);
  if (filter.module) words.set("module", filter.module);
  return words.toString();
}

function listenToKeys(list, on, state) {
  const moves = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (isTyping) return list.move(0);
      return state.name === null ? undefined : on.close();
    }
    if (isTyping && !(event.key === "ArrowDown" && event.target.id === "search")) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search").focus();
    } else if (event.key in moves && !event.target.closest("#panel")) {
      const isInList = event.target.closest("#rows");
      if (!isInList && event.key !== "ArrowDown" && event.key !== "j") return;
      event.preventDefault();
      list.move(moves[event.key]);
    }
  });
}

const started = main();
