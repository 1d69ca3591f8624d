"""HTML of pages: templates, blocks of colour, links to times."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from importlib.resources import files

from live_ser.text import clock


def filled(template: str, values: Mapping[str, str], scripts: tuple[str, ...] = ()) -> str:
    """Fill in a template, with styles and scripts inline, and a policy that allows no others.

    Args:
        template: file of this package with placeholders ``{{name}}``.
        values: HTML for the placeholders.
        scripts: files of this package with scripts.
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
    # In one pass, so that values are not searched for placeholders.
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: {**values, **own}[hole[1]], whole)


def block(kind: str, *parts: tuple[float, str]) -> str:
    """Blocks of colour side by side, as SVG, because the page allows no inline styles.

    Args:
        kind: CSS class.
        parts: width, as a share of the whole, and colour of each block.
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
    """A time, as a button that shows it on the timeline."""
    return f'<button type="button" class="link" value="{seconds:.3f}">{clock(seconds)}</button>'


def json_data(data: object) -> str:
    """JSON that is safe inside a script element."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(source: str) -> str:
    """The hash of a script or style, for the page's policy."""
    digest = hashlib.sha256(source.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _resource(name: str) -> str:
    return (files("live_ser.report") / name).read_text("utf-8")
