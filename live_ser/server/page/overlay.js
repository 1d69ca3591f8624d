// The picture of the server's microphone alone, for OBS and slides.

import { Picture, SECTIONS } from "/page/picture.js";
import { ServerMicrophone } from "/page/sound.js";

const shown = (new URLSearchParams(location.search).get("show") || "word,bars").split(",");
const channel = Number(new URLSearchParams(location.search).get("channel")) || 1; // if each is classified separately
const unknown = shown.filter((name) => !(name in SECTIONS));
const picture = new Picture(JSON.parse(document.body.dataset.labels), unknown.length ? ["word"] : shown);

const microphone = new ServerMicrophone({
  onRecord: (record) => {
    if (record.type === "session" || record.state === "off") picture.begin(); // so that nobody mistakes the last word for a new one
    else if (!record.channel || record.channel === channel) picture.show(record);
  },
  onLost: () => picture.begin(),
});
if (unknown.length) picture.word(`show=${unknown}? There are ${Object.keys(SECTIONS).join(", ")}`, "", "");
else microphone.open();
