// The charts: the last minute, and the plane of activation and valence.

const MINUTE = 60; // seconds
const TRAIL = 12; // predictions that the plane shows

export const ink = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

// Black or white, whichever can be read on a colour (WCAG 2: its relative luminance).
function legible(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}

// A canvas of as many pixels as the screen has, in units of CSS pixels.
function canvas(element) {
  const ratio = window.devicePixelRatio || 1, { width, height } = element.getBoundingClientRect();
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  const c = element.getContext("2d"), size = parseFloat(getComputedStyle(document.documentElement).fontSize);
  c.scale(ratio, ratio);
  c.font = `${0.8 * size}px system-ui, sans-serif`;
  c.textBaseline = "middle";
  return { c, width, height, size };
}

const sounded = (record) => record.state === "speech" || record.state === "uncertain";

export function drawMinute(element, records, shades) {
  if (!element.offsetParent) return;
  const { c, width, height, size } = canvas(element);
  const windows = records.filter((record) => record.type === "window");
  const now = windows.length ? windows[windows.length - 1].end : 0;
  const since = now - MINUTE, x = (time) => (time - since) / MINUTE * width;
  const strip = 1.9 * size, axis = 1.4 * size, top = strip + 0.5 * size, bottom = height - axis;

  let run = null;
  const close = () => {
    if (!run) return;
    const sure = run.state === "speech", name = sure ? run.label : `${run.label}?`;
    const left = Math.max(0, x(run.start)), right = x(run.end);
    c.globalAlpha = sure ? 1 : 0.35;
    c.fillStyle = shades.get(run.label);
    c.fillRect(left, 0, Math.max(1, right - left - 1), strip);
    c.globalAlpha = 1;
    c.fillStyle = sure ? legible(shades.get(run.label)) : ink("--ink");
    if (c.measureText(name).width + 0.6 * size < right - left) c.fillText(name, left + 0.3 * size, strip / 2);
    run = null;
  };
  let before = null;
  for (const w of windows) {
    const start = before === null ? w.end - 0.5 : Math.max(before, w.end - 4);
    before = w.end;
    if (w.end <= since) continue;
    if (!sounded(w)) { close(); continue; }
    if (run && (run.label !== w.label || run.state !== w.state)) close();
    run = run ? { ...run, end: w.end } : { ...w, start };
  }
  close();

  c.strokeStyle = ink("--line");
  for (const share of [0, 0.5, 1]) {
    const y = bottom - share * (bottom - top);
    c.beginPath(); c.moveTo(0, y); c.lineTo(width, y); c.stroke();
  }
  c.strokeStyle = ink("--ink");
  c.lineWidth = Math.max(1.5, size / 9);
  c.lineJoin = "round";
  c.beginPath();
  let pen = false;
  for (const w of windows) {
    if (w.activation === null || !sounded(w)) { pen = false; continue; }
    const at = [x(w.end), bottom - w.activation * (bottom - top)];
    if (pen) c.lineTo(...at); else c.moveTo(...at);
    pen = true;
  }
  c.stroke();
  // Over the line, with an outline.
  c.strokeStyle = ink("--sheet");
  c.lineWidth = size / 3;
  c.fillStyle = ink("--soft");
  for (const [name, y] of [["aroused", top + 0.55 * size], ["calm", bottom - 0.6 * size]]) {
    c.strokeText(name, 0.3 * size, y);
    c.fillText(name, 0.3 * size, y);
  }

  c.lineWidth = 1;
  c.strokeStyle = ink("--soft");
  for (const gap of records) {
    if (gap.type !== "gap" || gap.end <= since) continue;
    const left = Math.max(0, x(gap.start)), right = Math.max(left + 2, x(gap.end));
    c.save();
    c.beginPath(); c.rect(left, 0, right - left, bottom); c.clip();
    c.beginPath();
    for (let i = left - height; i < right; i += 7) { c.moveTo(i, bottom); c.lineTo(i + height, bottom - height); }
    c.stroke();
    c.restore();
  }
  c.fillStyle = ink("--accent");
  for (const mark of records) {
    const moment = { mark: mark.time, label: mark.end }[mark.type];
    if (moment === undefined || moment < since) continue;
    const at = x(moment);
    c.fillRect(at - 1, 0, 2, bottom);
    c.beginPath(); c.moveTo(at - 6, 0); c.lineTo(at + 6, 0); c.lineTo(at, 9); c.fill();
  }
  c.fillStyle = ink("--soft");
  c.fillText("\u221260 s", 0.3 * size, height - axis / 2);
  const text = "now";
  c.fillText(text, width - c.measureText(text).width - 0.3 * size, height - axis / 2);
}

export function drawPlane(element, records, shades) {
  if (!element.offsetParent) return;
  const { c, width, height, size } = canvas(element);
  const trail = records.filter((r) => r.type === "window" && r.activation !== null).slice(-TRAIL);
  const flat = !trail.some((record) => typeof record.valence === "number");
  const edge = 1.2 * size;
  const place = (record) => flat
    ? [edge + record.activation * (width - 2 * edge), height / 2]
    : [edge + (record.valence + 1) / 2 * (width - 2 * edge), height - edge - record.activation * (height - 2 * edge)];

  c.strokeStyle = ink("--line");
  c.beginPath();
  c.moveTo(edge, height / 2); c.lineTo(width - edge, height / 2);
  if (!flat) { c.moveTo(width / 2, edge); c.lineTo(width / 2, height - edge); }
  c.stroke();
  c.fillStyle = ink("--soft");
  const write = (text, at, y) => c.fillText(text, Math.min(Math.max(4, at - c.measureText(text).width / 2), width - c.measureText(text).width - 4), y);
  if (flat) {
    write("calm", edge, height / 2 + 1.3 * size);
    write("aroused", width - edge, height / 2 + 1.3 * size);
  } else {
    write("aroused", width / 2, 0.6 * size);
    write("calm", width / 2, height - 0.6 * size);
    write("unpleasant", 0, height / 2 - 0.8 * size);
    write("pleasant", width, height / 2 - 0.8 * size);
  }
  trail.forEach((record, i) => {
    const [left, top] = place(record), newest = i === trail.length - 1;
    c.globalAlpha = newest ? 1 : 0.1 + 0.3 * i / trail.length;
    c.fillStyle = shades.get(record.label) || ink("--soft");
    c.beginPath(); c.arc(left, top, (newest ? 0.55 : 0.3) * size, 0, 2 * Math.PI); c.fill();
    if (newest) { c.globalAlpha = 1; c.strokeStyle = ink("--ink"); c.lineWidth = 2; c.stroke(); }
  });
  c.globalAlpha = 1;
  return flat;
}
