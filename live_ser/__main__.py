"""``python -m live_ser`` is ``live-ser``."""

from __future__ import annotations

import sys

from live_ser.cli import main

sys.exit(main())
