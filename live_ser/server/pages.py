"""The web pages: self-contained files with a strict content security policy."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live_ser import __version__
from live_ser.palette import colours
from live_ser.server.access import Rules
from live_ser.spec import ModelInfo

_KINDS = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
}
SCRIPTS = ("page.css", "page.js", "picture.js", "meters.js", "sound.js", "capture.js", "overlay.js")


class Pages:
    """Serves the pages with their styles and scripts.

    Args:
        info: metadata of the model.
        rules: the rules of access, for embedding the overlay.
    """

    def __init__(self, info: ModelInfo, rules: Rules) -> None:
        self._info, self._rules = info, rules

    async def page(self, request: Request) -> Response:
        """The page."""
        return self._html(request, _resource("page.html"))

    async def overlay(self, request: Request) -> Response:
        """The overlay, on a transparent background."""
        return self._html(request, _resource("overlay.html"))

    async def reference(self, request: Request) -> Response:
        """The documentation of the endpoints."""
        return self._html(request, _reference(self._info))

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI description of the endpoints."""
        return JSONResponse(description(self._info))

    async def script(self, request: Request) -> Response:
        """A style or a script of the pages."""
        name = request.path_params["name"]
        if name not in SCRIPTS:
            return Response(status_code=404)
        kind = _KINDS[name.rpartition(".")[2]]
        return Response(_resource(name), media_type=kind, headers={**_HEADERS})

    def _html(self, request: Request, text: str) -> Response:
        host = request.headers.get("host", "")
        framed = " ".join(self._rules.origins) or "'none'"
        # In some browsers, 'self' does not include WebSockets.
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' ws://{host} wss://{host}; worker-src 'self'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {framed}"
        )
        values = {"version": __version__, "labels": _labels(self._info)}
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", html.escape(value))
        headers = {**_HEADERS, "content-security-policy": policy}
        return Response(text, media_type="text/html", headers=headers)


_HEADERS = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-resource-policy": "same-origin",
}


def description(info: ModelInfo) -> dict[str, Any]:
    """The endpoints as OpenAPI 3.1."""
    found: dict[str, Any] = json.loads(_resource("openapi.json"))
    found["info"]["version"] = __version__
    labels = found["components"]["schemas"]["label"]
    labels["enum"] = [*info.labels, None]
    return found


def _labels(info: ModelInfo) -> str:
    """The labels and their colours, for the scripts."""
    shades = colours(info.labels)
    return json.dumps(
        [[label, shade.hex] for label, shade in zip(info.labels, shades, strict=True)]
    )


def _reference(info: ModelInfo) -> str:
    """A page that lists the endpoints."""
    found = description(info)
    rows = []
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            name = html.escape(f"{method.upper()} {path}")
            text = f"<p>{html.escape(operation['summary'])}</p>{_parameters(operation, found)}"
            rows.append(f"<section><h2><code>{name}</code></h2>{text}</section>")
    return _resource("reference.html").replace("{{endpoints}}", "\n".join(rows))


def _parameters(operation: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    items = []
    shared = found["components"]["parameters"]
    for listed in operation.get("parameters", []):
        parameter = shared[listed["$ref"].rpartition("/")[2]] if "$ref" in listed else listed
        name, text = html.escape(parameter["name"]), html.escape(parameter["description"])
        items.append(f"<dt><code>{name}</code></dt><dd>{text}</dd>")
    return f"<dl>{''.join(items)}</dl>" if items else ""


@cache
def _resource(name: str) -> str:
    return (files("live_ser.server") / "page" / name).read_text("utf-8")
