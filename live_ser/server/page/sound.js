// Where records come from: the browser's microphone, which the server classifies, or the server's.

const at = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

// No processing: what makes calls clear removes cues of emotion.
const UNCHANGED = {
  channelCount: { ideal: 1 }, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
};
const PING = 15000; // milliseconds between pings in a pause
const RETRY = 2000; // milliseconds until the next attempt to connect

const MICROPHONE_ERRORS = {
  NotAllowedError: "the browser denied access to the microphone; allow it in the address bar, and start again",
  NotFoundError: "no microphone was found; plug one in, and start again",
  NotReadableError: "the microphone cannot be opened; close the program that uses it, and start again",
};

// Why there is no connection: a WebSocket does not say.
async function whyNot() {
  const answer = await fetch("/v1/info").catch(() => null);
  if (!answer) return "the server is not running";
  if (answer.ok) return "the connection was lost";
  const { message, hint } = await answer.json();
  return `${message}; ${hint}`;
}

const opened = (socket) => new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = async () => reject(new Error(await whyNot()));
});

export class BrowserMicrophone {
  // onRecord(record) is called for each record, onLevel(decibels) for each block, and onEnd(reason)
  // at the end; the reason is empty if the user ended it.
  constructor({ onRecord, onLevel, onEnd }) {
    Object.assign(this, { onRecord, onLevel, onEnd });
    this.paused = null;
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error("browsers allow the microphone only for https pages and for pages of this machine");
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: UNCHANGED })
      .catch((error) => { throw new Error(MICROPHONE_ERRORS[error.name] || error.message); });
    this.context = new AudioContext();
    const rate = Math.min(48000, this.context.sampleRate);
    if (rate !== this.context.sampleRate) { // some devices have 96 kHz
      await this.context.close();
      this.context = new AudioContext({ sampleRate: rate });
    }
    await this.context.audioWorklet.addModule("/page/capture.js")
      .catch(async () => { throw new Error(await whyNot()); });
    await this.context.resume();
    this.socket = new WebSocket(at("/v1/stream"));
    this.socket.onmessage = (event) => this.onRecord(JSON.parse(event.data));
    await opened(this.socket);
    this.socket.onclose = ({ code }) => this.closed(code);
    this.send({ type: "start", encoding: "s16le", rate, turns: true, source: "browser" });
    const worklet = new AudioWorkletNode(this.context, "capture");
    worklet.port.onmessage = (event) => this.block(event.data);
    this.context.createMediaStreamSource(this.stream).connect(worklet);
    this.stream.getTracks()[0].onended = () => {
      this.reason = "the microphone was disconnected; plug it in or allow it, and start again";
      this.stop();
    };
  }

  async closed(code) {
    this.release();
    const reasons = {
      1001: "the server ended",
      4408: "no sound came from the microphone, as when the computer or the tab sleeps; start again",
    };
    this.onEnd(this.reason || reasons[code] || (code === 1006 ? await whyNot() : ""));
  }

  // Blocks also arrive in a pause and in a background tab, where timers hardly run.
  block(data) {
    if (this.socket.readyState !== WebSocket.OPEN || this.stopped) return;
    if (this.paused !== null) { this.live(); return; }
    this.socket.send(data);
    const samples = new Int16Array(data);
    let [sum, squares] = [0, 0];
    for (const sample of samples) { sum += sample; squares += sample * sample; }
    const variance = squares / samples.length - (sum / samples.length) ** 2; // an offset has no level
    this.onLevel(10 * Math.log10(Math.max(variance / 2 ** 30, 1e-12)));
  }

  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  // Keep the stream open in a pause.
  live() {
    const now = performance.now();
    if (now - this.alive < PING) return;
    this.alive = now;
    this.send({ type: "ping" });
  }

  pause() {
    if (this.paused === null) {
      this.paused = this.alive = performance.now();
    } else {
      const seconds = (performance.now() - this.paused) / 1000;
      this.paused = null;
      this.send({ type: "gap", seconds, reason: "paused" });
    }
    return this.paused !== null;
  }

  stop() {
    if (this.paused !== null) this.pause();
    this.stopped = true;
    this.send({ type: "stop" });
  }

  release() {
    if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}

export class ServerMicrophone {
  // onRecord(record) is called for each record, and onLost(reason) when the connection is lost, which
  // is then opened again; history is the number of past records to start with.
  constructor({ onRecord, onLost, history = 120 }) {
    Object.assign(this, { onRecord, onLost, history });
  }

  // Resolves once there is a connection.
  open() {
    this.socket = new WebSocket(at(`/v1/live?history=${this.history}`));
    this.socket.onmessage = (event) => this.onRecord(JSON.parse(event.data));
    this.socket.onclose = async () => {
      const why = await whyNot();
      if (this.isClosed) return;
      this.onLost(why);
      setTimeout(() => { if (!this.isClosed) this.open(); }, RETRY);
    };
    return new Promise((resolve) => { this.socket.onopen = resolve; });
  }

  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  start() { this.send({ type: "start" }); }
  stop() { this.send({ type: "stop" }); }
  pause() { this.send({ type: "pause" }); }
  close() { this.isClosed = true; this.socket.close(); }
}
