// The picture: word, bars, last minute, plane and numbers of the newest records.

import { drawMinute, drawPlane } from "/page/meters.js";

const KEPT = 400; // records for the charts
const HOLD = 1.5; // seconds without speech for which the word stays

const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;

// The names of the sections, and their elements.
export const SECTIONS = { word: "verdict", bars: "bars", minute: "minute", plane: "plane", level: "numbers" };

export class Picture {
  // shown: names of the sections to show; all if empty.
  constructor(labels, shown = []) {
    this.shades = new Map(labels);
    this.labels = labels.map(([label]) => label);
    this.records = [];
    this.last = null;
    this.bars = new Map(labels.map(([label, shade]) => [label, bar(label, shade)]));
    if (shown.length) hideOthers(shown);
    this.due = false;
    const again = () => this.draw();
    new ResizeObserver(again).observe(document.body);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    this.draw();
  }

  begin() {
    this.records = [];
    this.last = null;
    this.word("\u2014", "", "listening has just started");
    this.probabilities({}, null);
    this.level(-Infinity);
    this.draw();
  }

  // Show a record; several that arrive at once are drawn once.
  show(record) {
    this.records.push(record);
    if (this.records.length > KEPT) this.records.shift();
    if (record.type === "window") this.window(record);
    if (record.type === "gap") this.word("\u2014", "", `no sound: ${record.reason}`);
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.draw(); });
  }

  window(w) {
    const paused = w.since_speech !== null && w.since_speech < HOLD;
    if (w.state === "speech") this.say(w, w.label, `${percent(w.confidence)}, ${w.evidence.toFixed(1)} s of speech`);
    else if (w.state === "uncertain") this.say(w, "uncertain", `perhaps ${w.label}, ${percent(w.confidence)}`, true);
    else if (!(paused && this.last)) {
      this.last = null;
      this.word(w.state, "", w.state === "silence" ? "nobody is speaking" : "not enough speech yet");
    }
    if (w.probabilities) this.probabilities(w.probabilities, w.label);
    byId("bars").classList.toggle("stale", !w.probabilities);
    this.numbers(w);
  }

  say(w, word, detail, quiet = false) {
    this.last = w;
    this.word(word, quiet ? "" : this.shades.get(w.label), detail);
  }

  word(text, shade, detail) {
    const word = byId("word");
    if (word.textContent !== text) word.textContent = text; // screen readers read it when it changes
    word.classList.toggle("quiet", !shade);
    word.style.setProperty("--shade", shade || "transparent");
    if (byId("detail")) byId("detail").textContent = detail;
  }

  probabilities(shares, best) {
    for (const [label, { name, fill, share }] of this.bars) {
      const value = shares[label] || 0;
      fill.style.transform = `scaleX(${value})`;
      share.textContent = percent(value);
      name.classList.toggle("best", label === best);
    }
  }

  numbers(w) {
    const set = (id, text) => {
      const element = byId(id);
      if (!element) return;
      element.textContent = text;
      element.closest("div").hidden = false;
    };
    if (w.activation !== null) set("activation", w.activation.toFixed(2));
    if (typeof w.valence === "number") set("valence", minus(w.valence.toFixed(2)));
    if (byId("baseline")) byId("baseline").textContent = w.baseline === null ? "not yet" : `${Math.round(w.baseline)} s`;
    set("speech", percent(w.speech));
    if (w.prosody && w.prosody.pitch) set("prosody", prosody(w.prosody));
    this.level(w.level_db);
  }

  level(decibels) {
    if (byId("level")) byId("level").value = Math.max(decibels, -200);
    if (byId("decibels")) byId("decibels").textContent = decibels < -90 ? "none" : minus(`${Math.round(decibels)} dB`);
  }

  draw() {
    drawMinute(byId("minute-canvas"), this.records, this.shades);
    const flat = drawPlane(byId("plane-canvas"), this.records, this.shades);
    if (flat !== false) return;
    byId("plane-canvas").ariaLabel = "Activation, from calm to aroused, and valence, from unpleasant to pleasant";
    if (byId("plane-title")) byId("plane-title").textContent = "activation and valence";
  }
}

function bar(label, shade) {
  const add = (kind) => {
    const element = document.createElement("span");
    element.className = kind;
    byId("bars").append(element);
    return element;
  };
  const name = add("name"), track = add("track"), share = add("share");
  name.textContent = label;
  share.textContent = "0 %";
  const fill = document.createElement("span");
  fill.className = "fill";
  fill.style.background = shade;
  track.append(fill);
  return { name, fill, share };
}

const minus = (number) => number.replace("-", "\u2212");

function hideOthers(shown) {
  for (const [name, id] of Object.entries(SECTIONS)) byId(id).hidden = !shown.includes(name);
}

function prosody(p) {
  const parts = [`${Math.round(p.pitch)} Hz`];
  const signed = (value, unit) => `${value > 0 ? "+" : "\u2212"}${Math.abs(value).toFixed(1)} ${unit}`;
  if (typeof p.pitch_change === "number") parts.push(signed(p.pitch_change, "semitones"));
  if (typeof p.loudness_change === "number") parts.push(signed(p.loudness_change, "dB"));
  if (typeof p.rate === "number") parts.push(`${p.rate.toFixed(1)} syllables/s`);
  return parts.join(", ");
}
