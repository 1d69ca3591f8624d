"""``live-ser serve``: serve a web page, and results for other programs."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from live_ser.audio.sources import is_pipe
from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.options import AnalysisOptions, CommonOptions, PublishingOptions, SourceOptions
from live_ser.cli.publishers import publishers
from live_ser.cli.source import open_source
from live_ser.cli.speaker import speaker_of
from live_ser.extras import needed
from live_ser.inference.settings import Settings
from live_ser.live.signals import ending_signals
from live_ser.model.onnx_model import load

if TYPE_CHECKING:
    from live_ser.server.access import Rules

TOKEN_VARIABLE = "LIVE_SER_TOKEN"  # noqa: S105 - its name, not its value
_HINT = (
    "live-ser: that is the page; /overlay is its picture alone, for OBS and slides, "
    "and /docs lists what programs can ask for; Ctrl-C ends it"
)
_ENDING_SECONDS = 6.0  # limit for the server to end, even if something is stuck


@dataclass(frozen=True)
class Options(CommonOptions, SourceOptions, AnalysisOptions, PublishingOptions):
    """The options of ``live-ser serve``."""

    host: str
    port: int
    token: str | None
    origins: list[str]
    sessions: int
    idle: float
    listen: bool


def run(options: Options) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    for module in ("starlette", "uvicorn", "websockets"):
        needed(module, "serve")
    from live_ser.server.app import Plan, Server, listening_socket
    from live_ser.server.app import run as run_server
    from live_ser.server.live import Microphone
    from live_ser.server.service import Limits

    options.check_one_speaker(profile=options.profile)
    options.reading()  # refuses options that exclude each other
    rules = _rules(options.host, options.token, [origin_of(one) for one in options.origins])
    model = load(options.model)
    Settings.checked(model.info, options.hop, options.smoothing)
    speaker = partial(speaker_of, model, options.profile)
    speaker()  # a profile that can't be read is refused here
    _check_replay(options, model.info.features.sample_rate)
    microphone = Microphone(
        partial(open_source, options, model.info.features.sample_rate),
        speaker,
        publishers(options.osc, options.lsl, model.info, options.hop),
        options.hop,
        options.smoothing,
        options.channel,
    )
    limits = Limits(sessions=options.sessions, idle=options.idle)
    plan = Plan(model, microphone, rules, limits, listening=options.listen)
    with ending_signals(_ENDING_SECONDS) as ending:
        opened = listening_socket(options.host, options.port)
        say(_address(options.host, opened.getsockname()[1], rules.token))
        say(_HINT)
        run_server(Server(plan), opened, ending)
    return 0


def _rules(host: str, token: str | None, origins: Sequence[str]) -> Rules:
    """The rules of access.

    Raises:
        UsageError: others could reach the server without a token, or it is too short.
    """
    from live_ser.server.access import SHORTEST_TOKEN, Rules, is_local

    if token is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
    elif not token:
        token = secrets.token_urlsafe(24)
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise UsageError(
            f"the token is not of {SHORTEST_TOKEN} or more printable ASCII characters",
            "--token without a value makes one",
        )
    if not token and not is_local(host):
        raise UsageError(
            f"on {host}, others can reach the server",
            "--token makes a token without which nobody gets in",
        )
    return Rules(host, token, tuple(origins))


def origin_of(text: str) -> str:
    """An origin as browsers send it.

    Raises:
        UsageError: ``text`` is not an origin.
    """
    found = re.fullmatch(r"(https?://[^/?#\s*]+)/?", text.lower())
    if not found:
        raise UsageError(
            f"{text!r} is not an origin", "--allow-origin https://example.org, without a path"
        )
    scheme, _, host = found[1].partition("://")
    port = {"http": ":80", "https": ":443"}[scheme]  # which browsers leave out
    return f"{scheme}://{host.removesuffix(port)}"


def _check_replay(options: Options, rate: int) -> None:
    """Refuse a recording that cannot be replayed before a client asks for it.

    Raises:
        LiveSerError: it cannot be read.
    """
    if options.replay is not None and not is_pipe(options.replay):
        with open_source(options, rate):
            pass


def _address(host: str, port: int, token: str) -> str:
    """The address of the page."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
