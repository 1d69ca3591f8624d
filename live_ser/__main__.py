"""``python -m live_ser`` is ``live-ser``."""

from __future__ import annotations

import signal
import sys

# Until the command begins there is nothing to save: Ctrl-C ends it without a traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

try:
    from live_ser.cli.main import main
except ModuleNotFoundError as error:
    from live_ser.extras import missing_package

    missing = missing_package(error)
    sys.exit(f"live-ser: {missing.message}\n  try: {missing.hint}")

if __name__ == "__main__":
    sys.exit(main())
