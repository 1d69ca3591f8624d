"""Results for other programs: HTTP and WebSocket, OSC, LSL. Imports from ``live``, ``batch``."""
