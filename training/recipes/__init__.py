"""How a network is trained: settings, presets, the loop, calibration."""
