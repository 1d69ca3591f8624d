"use strict";
(() => {
  const session = JSON.parse(document.getElementById("data").textContent);
  const { labels, colours, gaps, marks, seconds } = session;
  const player = document.getElementById("player");
  const names = 92; // pixels of the column of names
  const shortest = Math.min(seconds, 5); // seconds on the screen, at least
  let from = 0, until = Math.max(seconds, 0.1), cursor = null;

  const paper = { "--ink": "#1c1f24", "--soft": "#5d6570", "--line": "#dde1e6", "--accent": "#3176f6", "--faint": "#c9d0d8" };
  let printing = false;
  const ink = (name) => printing ? paper[name] : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const time = (t) => {
    const whole = Math.floor(t), pad = (n) => String(n).padStart(2, "0");
    const tail = until - from < 20 ? "." + Math.floor((t - whole) * 10) : "";
    return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}${tail}`;
  };
  const percent = (share) => `${Math.round(100 * share)} %`;
  const x = (t, width) => names + (t - from) / (until - from) * (width - names);
  const inWords = (w) => w.state === "speech" ? w.label : w.state === "uncertain" && w.label
    ? `uncertain, perhaps ${w.label}` : w.state;

  const shortName = (name) => name.replace("_change", "");
  const signed = (name, value, digits) => (/^(pitch|loudness)_change/.test(name) && value > 0 ? "+" : "") + value.toFixed(digits);

  // Black or white, whichever can be read on a colour (WCAG 2: its relative luminance).
  function legible(colour) {
    const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
  }

  // A voice: its timeline, and its windows as a table. All voices show the same range of time.
  function view({ windows, waveform }, tail) {
    const canvas = document.getElementById(`timeline${tail}`), detail = document.getElementById(`detail${tail}`);
    const lane = 26, strip = 24, track = 44, axis = 22, wave = waveform || windows.some((w) => w.level_db !== null) ? 40 : 0;
    const thick = 6; // pixels of a bin, where a pixel would hold several windows
    // Lines below the lanes: name, minimum and maximum.
    const lines = [["activation", 0, 1], ["valence", -1, 1]]
      .filter(([name]) => name === "activation" || windows.some((w) => w[name] !== null));
    // Prosody: name, unit, digits.
    const measures = [["pitch", "Hz", 0], ["loudness", "dB", 0], ["rate", "syllables/s", 1],
      ["pitch_change", "semitones from usual", 1], ["loudness_change", "dB from usual", 1], ["rate_change", "times the usual rate", 2]]
      .filter(([name]) => windows.some((w) => w[name] !== null));
    const height = strip + wave + labels.length * lane + lines.length * track + axis;

    // The first window that ends after a moment.
    function windowAt(t) {
      let low = 0, high = windows.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (windows[middle].end <= t) low = middle + 1; else high = middle;
      }
      return low < windows.length && windows[low].since <= t ? low : -1;
    }

    // The timeline in bins, each the mean of the windows in it: a pixel wide, or more where a pixel
    // would hold several windows and neighbours would flicker.
    function binned(width) {
      const perPixel = (until - from) / (width - names), usual = seconds / Math.max(windows.length, 1);
      const wide = perPixel > usual ? thick : 1, many = Math.ceil((width - names) / wide);
      const zeros = () => new Float64Array(many);
      const bins = { wide, many, sums: labels.map(zeros), means: lines.map(zeros), count: zeros(),
        level: zeros(), levels: zeros(), newest: new Array(many).fill(null), byLabel: [...labels, ""].map(zeros) };
      for (const w of windows) {
        if (w.end <= from || w.since >= until) continue;
        const start = Math.max(0, Math.floor((x(w.since, width) - names) / wide));
        const stop = Math.min(many, Math.max(start + 1, Math.floor((x(w.end, width) - names) / wide)));
        for (let i = start; i < stop; i++) add(bins, i, w);
      }
      return bins;
    }
    function add(bins, i, w) {
      bins.newest[i] = w;
      if (w.level_db !== null) { bins.level[i] += w.level_db; bins.levels[i]++; }
      const sounded = w.sounded ?? Number(w.state === "speech" || w.state === "uncertain");
      if (!w.probabilities || !sounded) return;
      bins.count[i] += sounded;
      lines.forEach(([name, low, high], k) => { bins.means[k][i] += sounded * (w[name] ?? (low + high) / 2); });
      w.probabilities.forEach((p, k) => { bins.sums[k][i] += sounded * p; });
      bins.byLabel[w.state === "speech" ? labels.indexOf(w.label) : labels.length][i] += sounded;
    }

    // The waveform, or the level if the page has no sound.
    function drawWave(c, width, top, bins) {
      const centre = top + wave / 2, half = wave / 2 - 3;
      c.fillStyle = ink("--soft");
      c.fillText(waveform ? "sound" : "level", 8, centre, names - 14);
      if (!waveform) {
        for (let i = 0; i < bins.many; i++) {
          const loud = half * Math.max(0, 1 + bins.level[i] / bins.levels[i] / 60);
          if (bins.levels[i]) c.fillRect(names + i * bins.wide, centre - loud, Math.max(1, bins.wide - 1), 2 * loud);
        }
        return;
      }
      for (let i = names; i < width; i++) {
        const column = (at) => Math.floor((from + (at - names) / (width - names) * (until - from)) / waveform.step);
        let low = 0, high = 0;
        for (let k = column(i); k <= Math.max(column(i), column(i + 1) - 1); k++) {
          low = Math.min(low, waveform.low[k] ?? 0);
          high = Math.max(high, waveform.high[k] ?? 0);
        }
        c.fillRect(i, centre - half * high, 1, Math.max(1, half * (high - low)));
      }
    }

    // The label of each stretch; or the shares of the labels, where a bin holds several windows.
    function drawLabels(c, width, bins) {
      c.fillStyle = ink("--soft");
      c.fillText("heard", 8, strip / 2, names - 14);
      if (bins.wide > 1) {
        for (let i = 0; i < bins.many; i++) {
          let top = 3;
          bins.byLabel.forEach((seconds, k) => {
            const share = (strip - 6) * seconds[i] / (bins.count[i] || 1);
            c.fillStyle = k < labels.length ? colours[k] : ink("--faint");
            c.fillRect(names + i * bins.wide, top, bins.wide - 1, share);
            top += share;
          });
        }
        return;
      }
      for (let i = 0; i < bins.many;) {
        const w = bins.newest[i];
        let stop = i + 1;
        while (stop < bins.many && bins.newest[stop] && w && inWords(bins.newest[stop]) === inWords(w)) stop++;
        if (w && w.label !== null && (w.state === "speech" || w.state === "uncertain")) stretch(c, names + i, stop - i, w);
        i = stop;
      }
    }
    function stretch(c, left, width, w) {
      const sure = w.state === "speech", colour = colours[labels.indexOf(w.label)];
      c.globalAlpha = sure ? 1 : 0.35;
      c.fillStyle = colour;
      c.fillRect(left, 3, width, strip - 6);
      c.globalAlpha = 1;
      const name = sure ? w.label : `${w.label}?`;
      if (c.measureText(name).width + 8 < width) {
        c.fillStyle = sure ? legible(colour) : ink("--ink");
        c.fillText(name, left + 4, strip / 2);
      }
    }

    function draw() {
      const width = Math.max(320, canvas.clientWidth), ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.height = `${height}px`;
      const c = canvas.getContext("2d");
      c.scale(ratio, ratio);
      c.font = "13px system-ui, sans-serif";
      c.textBaseline = "middle";
      const bins = binned(width), { sums, count, means, wide } = bins;
      const top = strip + wave, under = top + labels.length * lane, bottom = under + lines.length * track;
      if (wave) drawWave(c, width, strip, bins);

      labels.forEach((label, k) => {
        const base = top + (k + 1) * lane;
        c.fillStyle = ink("--line");
        c.fillRect(names, base - 1, width - names, 1);
        c.fillStyle = ink("--ink");
        c.fillText(label, 8, base - lane / 2, names - 14);
        c.fillStyle = colours[k];
        for (let i = 0; i < bins.many; i++) {
          if (count[i]) c.fillRect(names + i * wide, base - 1, Math.max(1, wide - 1), -(lane - 4) * sums[k][i] / count[i]);
        }
      });

      lines.forEach(([name, low, high], k) => {
        const above = under + k * track;
        if (low < 0) {
          c.fillStyle = ink("--line");
          c.fillRect(names, above + track / 2, width - names, 1);
        }
        c.fillStyle = ink("--soft");
        c.fillText(name, 8, above + track / 2, names - 14);
        c.fillStyle = ink("--ink");
        for (let i = 0; i < bins.many; i++) {
          if (count[i]) c.fillRect(names + i * wide, above + 6 + (track - 12) * (high - means[k][i] / count[i]) / (high - low), wide, 2);
        }
      });

      drawLabels(c, width, bins);

      c.strokeStyle = ink("--soft");
      for (const gap of gaps) {
        const a = Math.max(names, x(gap.start, width)), b = Math.min(width, Math.max(x(gap.end, width), a + 2));
        if (b <= names || a >= width) continue;
        c.save();
        c.beginPath();
        c.rect(a, 0, b - a, bottom);
        c.clip();
        c.beginPath();
        for (let i = a - height; i < b; i += 7) { c.moveTo(i, bottom); c.lineTo(i + height, bottom - height); }
        c.stroke();
        c.restore();
      }

      c.fillStyle = ink("--accent");
      marks.forEach((mark) => {
        const at = x(mark, width);
        if (at < names || at > width) return;
        c.fillRect(at - 0.5, 0, 1, bottom);
        c.beginPath();
        c.moveTo(at - 5, 0); c.lineTo(at + 5, 0); c.lineTo(at, 8);
        c.fill();
      });

      const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
      const step = steps.find((s) => s * (width - names) / (until - from) > 80) || (until - from) / 5;
      c.fillStyle = ink("--soft");
      for (let t = Math.ceil(from / step) * step; t <= until; t += step) {
        const at = x(t, width);
        c.fillRect(at, bottom, 1, 4);
        const text = time(t), half = c.measureText(text).width / 2;
        c.fillText(text, Math.min(width - 2 * half - 2, Math.max(names, at - half)), bottom + 13);
      }

      if (cursor !== null && cursor >= from && cursor <= until) {
        c.fillStyle = ink("--ink");
        c.fillRect(x(cursor, width) - 1, 0, 2, bottom);
      }
    }

    function describe() {
      const index = windowAt(cursor), w = windows[index];
      const gap = gaps.find((g) => g.start <= cursor && cursor < g.end);
      detail.textContent = `${time(cursor)} · ` + (gap ? `not heard: ${gap.reason}` : !w ? "nothing was classified"
        : inWords(w) + (w.confidence === null ? "" : `, ${percent(w.confidence)}`)
          + lines.map(([name]) => w[name] === null ? "" : `, ${name} ${w[name].toFixed(2)}`).join("")
          + measures.map(([name, unit, digits]) => w[name] === null ? "" : `, ${shortName(name)} ${signed(name, w[name], digits)} ${unit}`).join("")
          + (w.level_db === null ? "" : `, ${w.level_db.toFixed(0)} dB`));
      if (index >= 0 && document.getElementById(`windows${tail}`).open) list(Math.floor(index / size), index);
    }

    const moment = (event) => {
      const box = canvas.getBoundingClientRect();
      return from + Math.max(0, event.clientX - box.left - names) / (box.width - names) * (until - from);
    };

    canvas.addEventListener("click", (event) => show(moment(event), true));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = event.deltaX / canvas.clientWidth * (until - from);
        look(from + by, until + by);
      } else zoom(event.deltaY > 0 ? 1.25 : 0.8, moment(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const by = (until - from) / 50, at = cursor === null ? from : cursor;
      const keys = { ArrowLeft: () => show(at - by, true), ArrowRight: () => show(at + by, true),
        "+": () => zoom(0.5, middle()), "-": () => zoom(2, middle()), Home: () => show(0, true), End: () => show(seconds, true) };
      if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    });

    const size = 100, table = document.getElementById(`rows${tail}`);
    let page = 0;
    const pages = Math.max(1, Math.ceil(windows.length / size));
    function cell(row, text, kind, name = "td") {
      const element = row.appendChild(document.createElement(name));
      element.textContent = text;
      if (kind) element.className = kind;
    }
    function list(wanted, marked = -1) {
      page = Math.min(Math.max(wanted, 0), pages - 1);
      table.replaceChildren();
      const head = table.createTHead().insertRow();
      for (const name of ["from", "until", "heard", ...lines.map(([name]) => name), "speech", "level", ...measures.map(([name, unit]) => `${shortName(name)} (${unit})`), ...labels]) {
        cell(head, name, name === "heard" ? "" : "number", "th");
      }
      const body = table.createTBody();
      windows.slice(page * size, (page + 1) * size).forEach((w, i) => {
        const row = body.insertRow();
        if (page * size + i === marked) row.className = "now";
        cell(row, w.since.toFixed(2), "number");
        cell(row, w.end.toFixed(2), "number");
        cell(row, inWords(w));
        lines.forEach(([name]) => cell(row, w[name] === null ? "" : w[name].toFixed(2), "number"));
        cell(row, percent(w.speech), "number");
        cell(row, w.level_db === null ? "" : `${w.level_db.toFixed(0)} dB`, "number");
        measures.forEach(([name, , digits]) => cell(row, w[name] === null ? "" : signed(name, w[name], digits), "number"));
        labels.forEach((_, k) => cell(row, w.probabilities ? percent(w.probabilities[k]) : "", "number"));
      });
      document.getElementById(`page-name${tail}`).textContent = `page ${page + 1} of ${pages}, times in seconds`;
      document.getElementById(`earlier${tail}`).disabled = page === 0;
      document.getElementById(`later${tail}`).disabled = page === pages - 1;
    }
    document.getElementById(`earlier${tail}`).addEventListener("click", () => list(page - 1));
    document.getElementById(`later${tail}`).addEventListener("click", () => list(page + 1));
    document.getElementById(`windows${tail}`).addEventListener("toggle", () => list(page));
    return { draw, describe };
  }

  const voices = [session, ...session.others];
  const views = voices.map((voice, number) => view(voice, number ? `-${number}` : ""));
  const draw = () => views.forEach((one) => one.draw());
  function show(t, move) {
    cursor = Math.min(Math.max(t, 0), seconds);
    if (cursor < from || cursor > until) look(cursor - (until - from) / 2, cursor + (until - from) / 2);
    if (move && player) player.currentTime = cursor;
    draw();
    views.forEach((one) => one.describe());
  }

  function look(a, b) {
    const span = Math.min(Math.max(b - a, shortest), Math.max(seconds, 0.1));
    from = Math.min(Math.max(a + (b - a - span) / 2, 0), Math.max(seconds - span, 0));
    until = from + span;
    draw();
  }
  function zoom(factor, about) {
    look(about - (about - from) * factor, about + (until - about) * factor);
  }
  const middle = () => cursor !== null && cursor >= from && cursor <= until ? cursor : (from + until) / 2;
  document.getElementById("in").addEventListener("click", () => zoom(0.5, middle()));
  document.getElementById("out").addEventListener("click", () => zoom(2, middle()));
  document.getElementById("all").addEventListener("click", () => look(0, seconds));
  for (const link of document.querySelectorAll("button.link")) {
    link.addEventListener("click", () => { show(Number(link.value), true); document.getElementById("timeline").scrollIntoView({ block: "nearest" }); });
  }
  if (player) {
    const follow = () => { show(player.currentTime, false); if (!player.paused) requestAnimationFrame(follow); };
    player.addEventListener("play", follow);
    player.addEventListener("seeked", () => show(player.currentTime, false));
  }

  window.addEventListener("resize", draw);
  for (const [event, onPaper] of [["beforeprint", true], ["afterprint", false]]) {
    window.addEventListener(event, () => { printing = onPaper; draw(); });
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
