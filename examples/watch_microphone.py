"""Watch the microphone: ``python examples/watch_microphone.py``. Ctrl-C ends it."""

from __future__ import annotations

from contextlib import suppress

import live_ser


def main() -> None:
    """Print a line whenever the label changes."""
    shown = None
    for prediction in live_ser.listen():
        label = prediction.label if prediction.state == "speech" else prediction.state
        if label != shown:
            print(f"{prediction.end:7.1f} s  {label}", flush=True)
            shown = label


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
