"""``live-ser serve``: a page and endpoints for other programs, on this machine."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say
from live_ser.cli.publishers import publishers_asked_for
from live_ser.cli.source import source_asked_for
from live_ser.cli.speaker import baseline_asked_for
from live_ser.extras import needed
from live_ser.inference.settings import Settings
from live_ser.live.signals import ending_signals
from live_ser.model.onnx_model import load

if TYPE_CHECKING:
    from live_ser.server.access import Rules

TOKEN_VARIABLE = "LIVE_SER_TOKEN"  # noqa: S105 - its name, not its value
_ENDING_SECONDS = 6.0  # after which a server that shall end does, whatever stands still


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    for module in ("starlette", "uvicorn", "websockets"):
        needed(module, "serve")
    from live_ser.server.app import Plan, Server, listening_socket
    from live_ser.server.app import run as run_server
    from live_ser.server.live import Microphone
    from live_ser.server.service import Limits

    rules = _rules(arguments)
    model = load(arguments.model)
    Settings.checked(model.info, arguments.hop, arguments.smoothing)
    baseline_asked_for(arguments, model)  # a profile that can't be read is refused here
    microphone = Microphone(
        partial(source_asked_for, arguments, model.info.features.sample_rate),
        partial(baseline_asked_for, arguments, model),
        publishers_asked_for(arguments, model.info),
        arguments.hop,
        arguments.smoothing,
        arguments.channel,
    )
    limits = Limits(sessions=arguments.sessions, idle=arguments.idle)
    plan = Plan(model, microphone, rules, limits, listening=arguments.listen)
    with ending_signals(_ENDING_SECONDS) as ending:
        opened = listening_socket(arguments.host, arguments.port)
        say(_address(arguments.host, opened.getsockname()[1], rules.token))
        run_server(Server(plan), opened, ending)
    return 0


def _rules(arguments: Namespace) -> Rules:
    """Who is let in.

    Raises:
        UsageError: others could reach the server without a token, or it is too short.
    """
    from live_ser.server.access import SHORTEST_TOKEN, Rules, is_local

    token = arguments.token
    if token is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
    elif not token:
        token = secrets.token_urlsafe(24)
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise UsageError(
            f"the token is not {SHORTEST_TOKEN} printable characters long",
            "--token without a value makes one",
        )
    if not token and not is_local(arguments.host):
        raise UsageError(
            f"on {arguments.host}, others can reach the server",
            "--token makes a token without which nobody gets in",
        )
    return Rules(arguments.host, token, tuple(arguments.origins))


def _address(host: str, port: int, token: str) -> str:
    """The address of the page."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
