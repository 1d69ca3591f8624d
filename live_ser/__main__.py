"""``python -m live_ser`` is ``live-ser``."""

from __future__ import annotations

import signal
import sys

# Until the command begins there is nothing to save: Ctrl-C ends it without a traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from live_ser.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
