"""``live-ser doctor``: check the installation and the microphone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from live_ser.cli.defaults import defaults
from live_ser.cli.examination import Finding, examine
from live_ser.cli.examined_defaults import examine_defaults
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
    failed = False
    for finding in _findings(options):
        failed = failed or finding.verdict == "fail"
        if not (options.quiet and finding.verdict == "ok"):
            print(f"{finding.verdict:4}  {printable(finding.text)}", flush=True)
            if finding.advice:
                print(f"      try: {printable(finding.advice)}", flush=True)
    return int(failed)


def _findings(options: Options) -> Iterator[Finding]:
    """The checks of the user's defaults that are in effect, then of all that ``listen`` needs."""
    chosen = {"model": options.model, "device": options.device}
    found = {
        name: default
        for name, default in defaults().items()
        if chosen.get(name, default.value) == default.value
    }
    examined = {name: found.pop(name) for name in chosen if name in found}
    for name, default in examined.items():  # whether it works is told below
        yield Finding("note", f"--{name} is {default.value}, as {default.origin} says")
    yield from examine_defaults(found, options.model)
    for finding in examine(
        options.model, options.device, channels=options.channels, channel=options.channel
    ):
        origins = [x.origin for x in examined.values() if repr(x.value) in finding.text]
        is_theirs = finding.verdict == "fail" and origins
        text = f"{finding.text}, as {origins[0]} says" if is_theirs else finding.text
        yield replace(finding, text=text)
