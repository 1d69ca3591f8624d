"""Pieces of a page: text, blocks of colour, and a template that is filled in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from importlib.resources import files

from live_ser.text import clock


def filled(template: str, values: Mapping[str, str], scripts: tuple[str, ...] = ()) -> str:
    """A page, with its style and script inside, which allows no other.

    Args:
        template: body, a file of this package whose holes are ``{{name}}``, as those of its head.
        values: of the holes, as HTML.
        scripts: files of this package that the page runs.
    """
    style = _resource("page.css")
    script = "".join(map(_resource, scripts))
    own = {
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }
    whole = _resource("head.html") + _resource(template)
    # In one pass: what is filled in is never looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: {**values, **own}[hole[1]], whole)


def block(kind: str, *parts: tuple[float, str]) -> str:
    """Blocks of colour beside each other; drawn, because the page allows no style but its own.

    Args:
        kind: class of the drawing.
        parts: width of each, as a share of the whole, and its colour.
    """
    left, shapes = 0.0, []
    for share, colour in parts:
        shapes.append(f'<rect x="{left:.4f}" width="{share:.4f}" height="1" fill="{colour}"/>')
        left += share
    return (
        f'<svg class="{kind}" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(shapes)}</svg>"
    )


def moment(seconds: float) -> str:
    """A time of the session; a click on it shows it on the timeline."""
    return f'<button type="button" class="link" value="{seconds:.3f}">{clock(seconds)}</button>'


def json_data(data: object) -> str:
    """JSON that cannot end the element that it stands in."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(source: str) -> str:
    """The name by which the page allows this script or style, and no other."""
    digest = hashlib.sha256(source.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _resource(name: str) -> str:
    return (files("live_ser.report") / name).read_text("utf-8")
