"""Samples to features: log-mel frames, speech mask, pitch, level. Imports from ``audio``."""
