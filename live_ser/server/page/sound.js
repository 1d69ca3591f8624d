// Where records come from: the browser's microphone, which the server classifies, or the server's.

const at = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

// Nothing may change the voice: what makes calls clear takes away what an emotion is heard by.
const UNCHANGED = {
  channelCount: { ideal: 1 }, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
};
const ALIVE = 15000; // milliseconds between signs of life in a pause

export class BrowserMicrophone {
  // heard(record) takes each record, level(decibels) the level of each block, ended(reason) the end.
  constructor({ heard, level, ended }) {
    Object.assign(this, { heard, level, ended });
    this.paused = null;
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error("a browser lends its microphone to https pages and this machine only");
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: UNCHANGED });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("/page/capture.js");
    const rate = Math.min(48000, this.context.sampleRate);
    if (rate !== this.context.sampleRate) { // some devices have 96 kHz
      await this.context.close();
      this.context = new AudioContext({ sampleRate: rate });
      await this.context.audioWorklet.addModule("/page/capture.js");
    }
    this.socket = new WebSocket(at("/v1/stream"));
    this.socket.onmessage = (event) => this.heard(JSON.parse(event.data));
    this.socket.onclose = (event) => { this.release(); this.ended(event.code); };
    await new Promise((resolve, reject) => { this.socket.onopen = resolve; this.socket.onerror = () => reject(new Error("the server is gone")); });
    this.send({ type: "start", encoding: "s16le", rate, turns: true, source: "browser" });
    const worklet = new AudioWorkletNode(this.context, "capture");
    worklet.port.onmessage = (event) => this.block(event.data);
    this.context.createMediaStreamSource(this.stream).connect(worklet);
    this.stream.getTracks()[0].onended = () => this.stop();
    await this.context.resume();
  }

  block(data) {
    if (this.socket.readyState !== WebSocket.OPEN || this.paused !== null || this.stopped) return;
    this.socket.send(data);
    const samples = new Int16Array(data);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    this.level(10 * Math.log10(Math.max(sum / samples.length / 2 ** 30, 1e-12)));
  }

  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  pause() {
    if (this.paused === null) {
      this.paused = performance.now();
      this.beat = setInterval(() => this.send({ type: "ping" }), ALIVE);
    } else {
      clearInterval(this.beat);
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
    clearInterval(this.beat);
    if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}

export class ServerMicrophone {
  // As above; history is how many of the newest records to begin with.
  constructor({ heard, ended, history = 120 }) {
    Object.assign(this, { heard, ended, history });
  }

  open() {
    this.socket = new WebSocket(at(`/v1/live?history=${this.history}`));
    this.socket.onmessage = (event) => this.heard(JSON.parse(event.data));
    this.socket.onclose = (event) => this.ended(event.code);
    return new Promise((resolve, reject) => { this.socket.onopen = resolve; this.socket.onerror = () => reject(new Error("the server is gone")); });
  }

  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  start() { this.send({ type: "start" }); }
  stop() { this.send({ type: "stop" }); }
  pause() { this.send({ type: "pause" }); }
  close() { this.socket.onclose = null; this.socket.close(); }
}
