"""Real-time speech emotion monitor: how a voice sounds, live in the terminal."""

from __future__ import annotations

__version__ = "0.1.0"
