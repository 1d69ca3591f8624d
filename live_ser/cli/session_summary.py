"""The summary of ``live-ser listen`` at its end."""

from __future__ import annotations

import os
import shlex

from live_ser.cli.listen_options import Options
from live_ser.cli.source import is_demo
from live_ser.cli.terminal import Display
from live_ser.live.session import Session
from live_ser.live.sinks import ProfileSink
from live_ser.text import counted

_REPORTED = (".jsonl", ".csv", ".parquet")  # extensions of records for reports


def session_summary(
    options: Options,
    session: Session,
    skipped: int,
    profile_sink: ProfileSink | None,
    display: Display,
) -> list[str]:
    """Losses of the session, its files, and the next command."""
    lines = []
    if is_demo(session.source):
        lines.append("this was a synthesised voice: people are recognised far less well")
    if skipped or session.source.overflows:
        lines.append(f"{skipped} skipped, {counted(session.source.overflows, 'overflow')}")
    if profile_sink and profile_sink.has_speech is not None:
        path = f"profile {profile_sink.profile.name}: {profile_sink.profile.path}"
        lines.append(path if profile_sink.has_speech else "no speech to make a profile of")
    if options.record:
        lines.append(f"sound: {options.record}")
    if options.output:
        lines.append(f"record: {options.output}")
        if options.output.endswith(_REPORTED):
            sound = f" --audio {shlex.quote(options.record)}" if options.record else ""
            command = shlex.quote(os.environ.get("LIVE_SER_COMMAND", "live-ser"))  # as typed
            lines.append(f"next: {command} report {shlex.quote(options.output)}{sound}")
    elif display.dashboard:
        lines.append("nothing was kept; -o session.jsonl keeps a record")
    return lines
