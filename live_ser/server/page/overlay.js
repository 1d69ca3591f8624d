// The picture of the server's microphone alone, for OBS and slides.

import { Picture } from "/page/picture.js";
import { ServerMicrophone } from "/page/sound.js";

const shown = (new URLSearchParams(location.search).get("show") || "word,bars").split(",");
const picture = new Picture(JSON.parse(document.body.dataset.labels), shown);

function open() {
  const again = () => setTimeout(open, 2000);
  const microphone = new ServerMicrophone({
    heard: (record) => {
      if (record.type === "session") picture.begin();
      else picture.show(record);
    },
    ended: again,
  });
  microphone.open().catch(() => {}); // it is told that it ended, too
}
open();
