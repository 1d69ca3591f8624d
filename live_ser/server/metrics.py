"""Counters of a server, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds

_HELP = {
    "live_ser_sessions": ("gauge", "Streams that are open."),
    "live_ser_readers": ("gauge", "Readers of the server's microphone."),
    "live_ser_listening": ("gauge", "Whether the server's microphone is open."),
    "live_ser_sessions_total": ("counter", "Streams since the start."),
    "live_ser_windows_total": ("counter", "Windows that were classified for streams."),
    "live_ser_sound_seconds_total": ("counter", "Seconds of sound that streams brought."),
    "live_ser_files_total": ("counter", "Recordings that were posted."),
    "live_ser_readers_dropped_total": ("counter", "Readers that were too slow."),
    "live_ser_refused_total": ("counter", "Requests of another host or origin, or without token."),
    "live_ser_errors_total": ("counter", "Errors that clients were told, by code."),
}


class Metrics:
    """The counters and gauges of a server; used only in its event loop."""

    def __init__(self) -> None:
        self._values: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(_BUCKETS) + 1)
        self._latency = 0.0

    def add(self, name: str, amount: float = 1, code: str = "") -> None:
        """Add to a counter or gauge.

        Args:
            name: name without the prefix ``live_ser_``.
            amount: the amount.
            code: error code, if any.
        """
        self._values[f"live_ser_{name}", code] += amount  # type: ignore[assignment]

    def value(self, name: str, code: str = "") -> float:
        """The value of a counter or gauge."""
        return self._values[f"live_ser_{name}", code]

    def took(self, seconds: float) -> None:
        """Record the time from a message with sound to its record."""
        self._latency += seconds
        for number, bound in enumerate((*_BUCKETS, float("inf"))):
            if seconds <= bound:
                self._buckets[number] += 1

    def text(self) -> str:
        """All values in the text format of Prometheus."""
        lines = []
        for name, (kind, text) in _HELP.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            codes = sorted(code for known, code in self._values if known == name) or [""]
            for code in codes:
                label = f'{{code="{code}"}}' if code else ""
                lines.append(f"{name}{label} {self._values[name, code]:g}")
        name = "live_ser_latency_seconds"
        lines += [f"# HELP {name} From a message to its record.", f"# TYPE {name} histogram"]
        for bound, count in zip((*map(str, _BUCKETS), "+Inf"), self._buckets, strict=True):
            lines.append(f'{name}_bucket{{le="{bound}"}} {count}')
        lines += [f"{name}_sum {self._latency:g}", f"{name}_count {self._buckets[-1]}"]
        return "\n".join(lines) + "\n"
