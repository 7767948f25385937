// board.js: what is known of all targets, kept up to date, put in order and filtered.

const RANKS = ["wrong", "doubtful", "blind", "new", "fine"];
const RANK_SAYS = {
  wrong: "not as expected",
  doubtful: "not as expected, not confirmed yet",
  blind: "could not judge",
  new: "not checked yet",
  fine: "as expected",
};
/** So many with one story are told as one. */
const GROUP = 4;

class Board {
  constructor() {
    this.targets = new Map();
    this.cursor = null;
    this.samples = [];
  }

  /** Asks for what is new; now and then for everything, so that nothing stays wrong. */
  async ask(patience) {
    this.asked = (this.asked ?? 0) + 1;
    const since = this.cursor && this.asked % 40 !== 0 ? `?since=${encodeURIComponent(this.cursor)}` : "";
    const document = await fetchJson(`api/targets${since}`, patience);
    this.take(document);
  }

  take(document) {
    const minute = Math.floor(unixOf(document.at) / 60);
    if (document.complete) this.targets = new Map();
    for (const entry of document.targets) this.targets.set(entry.name, prepared(entry, minute));
    this.cursor = document.cursor;
    this.modules = document.modules;
    this.configuration = document.configuration;
    this.minute = minute;
    this.setClock(document.at);
    this.samples.push({ at: this.now(), ...document.schedule });
    while (this.samples.length > 2 && this.samples[1].at < this.now() - 300) this.samples.shift();
    // Something went by that we were not told of.
    if (this.targets.size !== document.count) this.cursor = null;
  }

  /** The monitor's clock counts, whatever that of this device says. */
  setClock(at) {
    this.ahead = unixOf(at) - performance.now() / 1000;
  }

  now() {
    return performance.now() / 1000 + this.ahead;
  }

  /** What is wrong with the monitor itself since some minutes, in sentences. */
  lateness() {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const grown = (name) => last[name] - first[name];
    const says = [];
    const begun = grown("begun");
    if (begun >= 20 && grown("late") > begun / 20) {
      says.push(`${Math.round((100 * grown("late")) / begun)} % of the checks began more than 100 ms late`);
    }
    if (grown("left_out") > 0) says.push(`${plural(grown("left_out"), "check")} left out, as the one before had not ended`);
    if (grown("missed") > 0) says.push(`${plural(grown("missed"), "turn")} missed, as this process could not run`);
    if (grown("events_lost") > 0) says.push(`${plural(grown("events_lost"), "event")} could not be written`);
    return says;
  }

  /** Those that the filter lets through, the worst first, and how many there are of each class. */
  view(filter) {
    const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = new Array(WORDS.classes.length + 1).fill(0);
    const loud = new Array(WORDS.classes.length + 1).fill(0);
    const shown = [];
    for (const target of this.targets.values()) {
      if (filter.module && target.module !== filter.module) continue;
      if (!words.every((word) => target.text.includes(word))) continue;
      const place = target.number < 0 ? WORDS.classes.length : target.number;
      counts[place] += 1;
      if (target.rank === 0) loud[place] += 1;
      if (filter.classes.size > 0 && !filter.classes.has(target.number)) continue;
      shown.push(target);
    }
    shown.sort((one, other) => one.rank - other.rank || compare(one.name, other.name));
    return { shown, counts, loud };
  }
}

/** What follows from an entry, once. */
function prepared(entry, minute) {
  const { confirmed, latest } = entry;
  const number = CLASS_NUMBER.get((confirmed ?? latest)?.class) ?? -1;
  const labels = Object.entries(entry.labels).map(([name, value]) => `${name}=${value}`);
  const cause = confirmed ? `${confirmed.class}/${confirmed.cause}` : "";
  const isSame = Boolean(confirmed && latest && confirmed.class === latest.class);
  return {
    ...entry,
    minute,
    number,
    labelTexts: labels,
    rank: rankOf(confirmed, latest),
    isSame,
    since: unixOf(confirmed?.since),
    began: unixOf(latest?.began),
    text: [entry.name, entry.module, ...labels, cause, latest?.says ?? "", latest?.address ?? ""].join(" ").toLowerCase(),
    // Who has the same verdict from the same sender has the same story.
    story: `${cause} ${isSame ? latest.says.split(":")[0] : ""}`,
  };
}

function rankOf(confirmed, latest) {
  if (confirmed?.judged === "not-as-expected") return 0;
  if (latest?.judged === "not-as-expected") return 1;
  if (latest?.judged === "could-not-judge") return 2;
  return confirmed && latest ? 4 : 3;
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Rows, with what is the same told once: a heading, and its targets below it where it is unfolded. */
function grouped(shown, unfolded) {
  const stories = new Map();
  for (const target of shown) {
    if (target.rank > 0) break;
    if (!stories.has(target.story)) stories.set(target.story, []);
    stories.get(target.story).push(target);
  }
  const groups = [...stories.values()].filter((targets) => targets.length >= GROUP);
  groups.sort((one, other) => other.length - one.length);
  const rows = [];
  const inGroup = new Set();
  for (const targets of groups) {
    const { story } = targets[0];
    inGroup.add(story);
    const isOpen = unfolded.has(story);
    rows.push({ key: "g:" + story, group: targets, story, isOpen });
    if (isOpen) rows.push(...targets.map((target) => ({ key: "t:" + target.name, target, isInGroup: true })));
  }
  for (const target of shown) {
    if (target.rank > 0 || !inGroup.has(target.story)) rows.push({ key: "t:" + target.name, target });
  }
  return rows;
}

/** An answer that takes too long is none. */
async function fetchJson(path, patience) {
  const response = await fetch(path, { signal: AbortSignal.timeout(patience), cache: "no-store", credentials: "same-origin" });
  if (!response.ok) throw Object.assign(new Error(`${response.status}`), { status: response.status });
  return response.json();
}
