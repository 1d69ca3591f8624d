"""``live-ser devices``: list the input devices and their sample rates."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from live_ser.audio.devices import accepted_rates, find_device, input_devices
from live_ser.cli.options import CommonOptions
from live_ser.records.tables import devices_table, show


@dataclass(frozen=True)
class Options(CommonOptions):
    """The options of ``live-ser devices``."""

    device: str | None


def run(options: Options) -> int:
    """List the input devices; the one that ``listen`` would take is marked."""
    chosen = find_device(options.device)
    rows = [
        (device, accepted_rates(device), device.index == chosen.index) for device in input_devices()
    ]
    show(sys.stdout, devices_table(rows))
    return 0
