"""Access control: host, origin and token of every request are checked.

Any page in a browser can send requests to this machine. It is recognised by its origin, or,
after DNS rebinding, by the host.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from live_ser.errors import LiveSerError
from live_ser.server.protocol import error_record

COOKIE = "live_ser_token"
SHORTEST_TOKEN = 16  # characters
_LOCAL = ("localhost", "127.0.0.1", "::1")
_OPEN = ("/healthz", "/readyz")  # for monitoring
_PRINTED = "open the address that the server printed"
_ALLOWED = "start the server with `allow_origin` of that page"


@dataclass(frozen=True)
class Rules:
    """The rules of access.

    Attributes:
        host: address that the server is bound to.
        token: required token; empty for none.
        origins: allowed origins of pages, such as ``https://example.org``.
    """

    host: str = "127.0.0.1"
    token: str = ""
    origins: tuple[str, ...] = ()

    def fault(self, headers: Mapping[str, str], path: str, query: str) -> LiveSerError | None:
        """Why a request is refused; None if it is allowed.

        Args:
            headers: the headers, by lower-case name.
            path: the path.
            query: the query string.
        """
        if not self._is_host(headers.get("host", "")):
            return LiveSerError("this name is not the server's", _PRINTED)
        if self._is_foreign(headers):
            return LiveSerError("a page of another origin", _ALLOWED)
        if self.token and path not in _OPEN and not self._has_token(headers, query):
            return LiveSerError("the token is missing or wrong", _PRINTED)
        return None

    def allowed_origin(self, headers: Mapping[str, str]) -> str:
        """The origin of a page that is allowed by name; else empty."""
        origin = headers.get("origin", "")
        return origin if origin in self.origins else ""

    def _is_host(self, host: str) -> bool:
        name = _hostname(f"//{host}")
        names = {*_LOCAL, self.host, *(_hostname(origin) for origin in self.origins)}
        # A server on all addresses has many names; it is protected by its token.
        return name in names or (bool(self.token) and _is_any(self.host) and bool(name))

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        """Whether the request comes from a page of another origin."""
        if self.allowed_origin(headers):
            return False
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return True
        site = headers.get("sec-fetch-site", "none")
        is_link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == (
            "navigate",
            "document",
        )
        return site not in ("none", "same-origin") and not is_link

    def _has_token(self, headers: Mapping[str, str], query: str) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        tokens = [given.strip()] if scheme.lower() == "bearer" else []
        tokens += parse_qs(query).get("token", [])
        cookies: SimpleCookie = SimpleCookie()
        with suppress(CookieError):
            cookies.load(headers.get("cookie", ""))
        if COOKIE in cookies:
            tokens.append(cookies[COOKIE].value)
        expected = self.token.encode()
        return any(hmac.compare_digest(token.encode(), expected) for token in tokens)


class Access:
    """Middleware that refuses requests against the rules.

    Args:
        app: the application.
        rules: the rules.
        refused: function that is called for each refused request.
    """

    def __init__(self, app: ASGIApp, rules: Rules, refused: Callable[[], None]) -> None:
        self._app, self._rules, self._refused = app, rules, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 403."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = scope["query_string"].decode("latin-1")
        origin = self._rules.allowed_origin(headers)
        cors = _cors(origin) if origin else []
        if origin and scope["type"] == "http" and scope["method"] == "OPTIONS":
            await answer(scope, send, 204, cors, b"")  # preflight requests have no token
        elif fault := self._rules.fault(headers, scope["path"], query):
            self._refused()
            body = json.dumps(error_record("refused", fault.message, fault.hint))
            await answer(scope, send, 403, cors, body.encode())
        elif self._rules.token and scope["path"] in ("/", "/overlay") and "token=" in query:
            await answer(scope, send, 303, self._cookie(scope["path"], query), b"")
        else:
            await self._app(scope, receive, _with(send, cors) if cors else send)

    def _cookie(self, path: str, query: str) -> list[tuple[bytes, bytes]]:
        """Move the token from the address to a cookie."""
        cookie = f"{COOKIE}={self._rules.token}; HttpOnly; SameSite=Strict; Path=/"
        rest = "&".join(part for part in query.split("&") if not part.startswith("token="))
        location = path + (f"?{rest}" if rest else "")
        return [(b"set-cookie", cookie.encode()), (b"location", location.encode())]


def is_local(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _cors(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"vary", b"origin"),
    ]


def _with(send: Send, headers: Sequence[tuple[bytes, bytes]]) -> Send:
    """Add headers to an answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *headers]}
        await send(message)

    return sending


async def answer(
    scope: Scope, send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    """Answer a request with JSON; a WebSocket is then not opened."""
    kind = "websocket.http" if scope["type"] == "websocket" else "http"
    own = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *headers]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": f"{kind}.response.start", "status": status, "headers": [*own, length]})
    await send({"type": f"{kind}.response.body", "body": body})
