// The page: the choice of a microphone, the buttons and keys, and the record.

import { Picture } from "/page/picture.js";
import { BrowserMicrophone, ServerMicrophone } from "/page/sound.js";

const byId = (id) => document.getElementById(id);
const shades = JSON.parse(document.body.dataset.labels);
const labels = shades.map(([label]) => label);
const picture = new Picture(shades);
const MAX_RECORDS = 200000; // for the download: about a day

let records = [], microphone = null, listening = false, paused = false;
let channel = 1; // the one to show, if each is classified separately
const isShown = (record) => !record.channel || record.type === "clip" || record.channel === channel;

const source = () => document.querySelector("input[name=source]:checked").value;

function status(text, kind = "") {
  byId("status").textContent = text;
  byId("status").className = kind;
}

function set(on, pause = false) {
  listening = on;
  paused = pause;
  byId("start").textContent = on ? "stop" : "start";
  byId("start").disabled = false;
  byId("pause").disabled = byId("mark").disabled = byId("labels").disabled = !on;
  byId("pause").setAttribute("aria-pressed", String(pause));
  byId("pause").textContent = pause ? "resume" : "pause";
  byId("sources").disabled = on && source() === "browser";
}

function handle(record) {
  if (record.type === "error") { status(record.hint ? `${record.message} (${record.hint})` : record.message, "wrong"); return; }
  if (record.type === "note") { status(record.message, "on"); return; }
  if (record.type === "live") { state(record); return; }
  if (record.type === "session") begin(record);
  if (records.length < MAX_RECORDS) records.push(record);
  byId("download").disabled = false;
  if (record.type === "label") labelled(record);
  if (record.type === "clip") verdict(record);
  else if (isShown(record)) picture.show(record);
}

function begin(session) {
  records = [];
  voices(session);
  picture.begin();
  if (source() === "browser") { set(true); status("this browser's microphone", "on"); } // the server's microphone reports its state itself
}

// If each channel is classified separately, the user chooses the one to show.
function voices({ channels = 0, names = [] }) {
  byId("voices").hidden = channels < 2;
  const options = Array.from({ length: channels }, (_, place) => new Option(names[place] || `channel ${place + 1}`, place + 1));
  byId("voice").replaceChildren(...options);
  channel = Math.min(channel, channels) || 1;
  byId("voice").value = String(channel);
}
byId("voice").addEventListener("change", () => {
  channel = Number(byId("voice").value);
  picture.begin();
  records.slice(-500).filter((record) => record.type !== "session" && isShown(record)).forEach((record) => picture.show(record));
});

function labelled({ start, end, label: emotion }) {
  const speech = `${start.toFixed(1)} to ${end.toFixed(1)} s`;
  status(emotion ? `${emotion}: ${speech}; u undoes it` : `label removed: ${speech}`, "on");
}

function verdict(clip) {
  const share = clip.confidence === null ? "" : `, ${Math.round(100 * clip.confidence)} %`;
  const state = clip.state === "listening" ? "too little speech" : clip.state;
  const what = state === "uncertain" ? `uncertain, perhaps ${clip.label}` : clip.label || state;
  status(`${clip.duration.toFixed(1)} s in all: ${what}${share}`);
  byId("status").dataset.verdict = JSON.stringify(clip);
}

// The state of the server's microphone.
function state(live) {
  if (source() !== "server") return;
  set(live.state !== "off", live.state === "paused");
  const text = { on: live.source, paused: "paused", starting: "starting", waiting: live.message, off: "off" }[live.state];
  if (live.state !== "off" || byId("status").className !== "wrong") status(live.message || text || live.state, live.state === "on" ? "on" : "");
}

async function choose() {
  if (microphone && microphone.close) microphone.close();
  microphone = null;
  set(false);
  status("off");
  if (source() !== "server") return;
  microphone = new ServerMicrophone({ onRecord: handle, onLost: (why) => { set(false); status(`${why}; trying again`, "gone"); } });
  await microphone.open();
}

async function start() {
  if (source() === "server") {
    if (!(microphone instanceof ServerMicrophone)) await choose();
    microphone.start();
    return;
  }
  status("waiting for permission to use the microphone");
  byId("start").disabled = byId("sources").disabled = true;
  microphone = new BrowserMicrophone({ onRecord: handle, onLevel: (decibels) => picture.level(decibels), onEnd: ended });
  try {
    await microphone.start();
  } catch (error) {
    microphone.release();
    ended(error.message);
  }
}

function ended(why) {
  set(false);
  if (why) status(why, "wrong");
  else if (byId("status").className === "on") status("off");
}

const actions = {
  start: () => { if (listening) microphone.stop(); else start(); },
  pause: () => {
    const now = microphone.pause(); // the server reports its state itself
    if (source() === "browser") { set(true, now); status(now ? "paused" : "this browser's microphone", now ? "" : "on"); }
  },
  mark: () => microphone.send({ type: "mark" }),
  undo: () => microphone.send({ type: "undo" }),
  download: () => {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
    link.download = `session-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
};
const keys = { s: "start", p: "pause", m: "mark", u: "undo", d: "download" };

const label = (place) => microphone.send({ type: "label", label: labels[place] });

const row = document.createElement("div");
labels.forEach((name, place) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${place + 1} ${name}`;
  button.setAttribute("aria-keyshortcuts", String(place + 1));
  button.addEventListener("click", () => label(place));
  row.append(button);
});
row.append(byId("undo"));
byId("labels").append(row);
byId("last-key").textContent = String(labels.length);
for (const name of Object.keys(actions)) byId(name).addEventListener("click", actions[name]);
for (const radio of document.querySelectorAll("input[name=source]")) radio.addEventListener("change", choose);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("select") || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const button = keys[event.key.toLowerCase()] && byId(keys[event.key.toLowerCase()]);
  if (button && !button.matches(":disabled")) { event.preventDefault(); button.click(); }
  const place = Number(event.key) - 1;
  if (listening && Number.isInteger(place) && labels[place]) { event.preventDefault(); label(place); }
});
window.addEventListener("pagehide", () => { if (microphone && microphone.release) microphone.release(); });

// If the server is listening already, show that.
fetch("/v1/info").then((answer) => answer.json()).then((info) => {
  if (info.live.state !== "off" && !listening) {
    document.querySelector("input[value=server]").checked = true;
    choose();
  }
}, () => {}); // the server has just ended
set(false);
