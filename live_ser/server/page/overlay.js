// The picture of the server's microphone alone, for OBS and slides.

import { Picture } from "/page/picture.js";
import { ServerMicrophone } from "/page/sound.js";

const shown = (new URLSearchParams(location.search).get("show") || "word,bars").split(",");
const channel = Number(new URLSearchParams(location.search).get("channel")) || 1; // where each is classified separately
const picture = new Picture(JSON.parse(document.body.dataset.labels), shown);

function open() {
  const again = () => setTimeout(open, 2000);
  const microphone = new ServerMicrophone({
    heard: (record) => {
      if (record.type === "session") picture.begin();
      else if (!record.channel || record.channel === channel) picture.show(record);
    },
    ended: again,
  });
  microphone.open().catch(() => {}); // it is told that it ended, too
}
open();
