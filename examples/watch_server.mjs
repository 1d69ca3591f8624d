// Read the server's microphone: node examples/watch_server.mjs [URL]
// It needs no package: the server sends server-sent events. A browser has EventSource for them.

const url = process.argv[2] || "http://127.0.0.1:8765";
const answer = await fetch(`${url}/v1/events`);
let text = "", last = "";

for await (const bytes of answer.body.pipeThrough(new TextDecoderStream())) {
  text += bytes;
  const events = text.split("\n\n");
  text = events.pop();
  for (const event of events) {
    if (!event.startsWith("data: ")) continue;
    const record = JSON.parse(event.slice(6));
    if (record.type === "end") process.exit(0);
    if (record.type !== "window") continue;
    const heard = record.label || record.state;
    if (heard !== last) console.log(`${record.end.toFixed(1)} s  ${heard}`);
    last = heard;
  }
}
