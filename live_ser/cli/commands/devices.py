"""``live-ser devices``: the input devices and the rates that they accept."""

from __future__ import annotations

import sys
from argparse import Namespace

from live_ser.audio.devices import accepted_rates, find_device, input_devices
from live_ser.records.tables import devices_table, show


def run(arguments: Namespace) -> int:
    """List the input devices; the one that ``listen`` would take is marked."""
    chosen = find_device(arguments.device)
    rows = [
        (device, accepted_rates(device), device.index == chosen.index) for device in input_devices()
    ]
    show(sys.stdout, devices_table(rows))
    return 0
