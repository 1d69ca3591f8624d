"""``live-ser doctor``: check the installation and the microphone."""

from __future__ import annotations

from dataclasses import dataclass

from live_ser.cli.defaults import defaults
from live_ser.cli.examination import examine
from live_ser.cli.messages import say
from live_ser.cli.options import ChannelOptions, CommonOptions
from live_ser.text import printable


@dataclass(frozen=True)
class Options(CommonOptions, ChannelOptions):
    """The options of ``live-ser doctor``."""

    device: str | None
    model: str | None


def run(options: Options) -> int:
    """Print each finding when it is made; 1 if ``listen`` would not work."""
    if not options.quiet:
        say("examining; speak for three seconds when the microphone opens")
    for name, default in defaults().items():
        print(f"ok    --{name} {printable(default.value)}, as {printable(default.origin)} says")
    failed = False
    for finding in examine(
        options.model,
        options.device,
        channels=options.channels,
        channel=options.channel,
    ):
        failed = failed or finding.verdict == "fail"
        if not (options.quiet and finding.verdict == "ok"):
            print(f"{finding.verdict:4}  {printable(finding.text)}", flush=True)
            if finding.advice:
                print(f"      try: {printable(finding.advice)}", flush=True)
    return int(failed)
