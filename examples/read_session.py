"""Read a session: ``live-ser listen -o session.jsonl``, then ``read_session.py session.jsonl``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path


def main() -> None:
    """Print the seconds of each emotion and state."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    hop = next(record["hop"] for record in records if record["type"] == "session")
    windows = [record for record in records if record["type"] == "window"]
    shown = Counter(w["label"] if w["state"] == "speech" else w["state"] for w in windows)
    for label, count in shown.most_common():
        print(f"{label:10} {count * hop:7.1f} s")


if __name__ == "__main__":
    main()
