// The browser's microphone, in blocks of a tenth of a second: 16-bit samples, little endian.
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process([input]) {
    const channels = input.length;
    const length = channels ? input[0].length : 0;
    for (let i = 0; i < length; i++) {
      let sample = 0;
      for (const channel of input) sample += channel[i] / channels;
      this.block[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled === this.block.length) {
        const block = this.block.slice().buffer;
        this.port.postMessage(block, [block]);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
