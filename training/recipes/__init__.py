"""Recipes to train networks: settings, presets, runs, calibration and export."""
