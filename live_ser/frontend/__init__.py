"""Samples to features: log-mel frames, a speech mask, the level. Imports from ``audio``."""
