"""``/v1/file``: a recording in, the records of ``live-ser file`` out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from live_ser.audio.reading import reading_of
from live_ser.batch.analysis import Analysis
from live_ser.batch.jobs import Job, classify_files
from live_ser.errors import LiveSerError
from live_ser.records.jsonl import json_text
from live_ser.records.record import Record
from live_ser.server.protocol import LONGEST_NAME, error_record, note_record
from live_ser.server.service import Service
from live_ser.system.temporary import temporary_folder

_NUMBERS = {"hop": float, "smoothing": float, "channel": int, "track": int, "rate": int}
_FLAGS = ("timeline", "segments", "partial", "each_channel")
_FORM = "the body is a form, not a sound file", "send the file itself: curl --data-binary @FILE"
_KNOWN = (*_NUMBERS, "channels", *_FLAGS, "raw", "names", "name", "token")


class _ServerEnds(BaseException):
    """The server is shutting down."""


class FileEndpoint:
    """Classifies posted recordings, one after another.

    Args:
        service: the service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        # One thread of its own: streams do not wait for recordings.
        self._thread = ThreadPoolExecutor(1, "live-ser-file")

    async def serve(self, request: Request) -> Response:
        """Answer with JSON Lines; or with an error and status 400, 413 or 422."""
        try:
            analysis, name = _options(request.query_params)
        except LiveSerError as error:
            return JSONResponse(error_record("bad_request", error.message, error.hint), 400)
        if request.headers.get("content-type", "").startswith("multipart/"):
            return JSONResponse(error_record("bad_request", *_FORM), 400)
        self._service.metrics.add("files_total")
        with temporary_folder() as folder:
            path = folder / "sound"
            try:
                with path.open("wb") as file:
                    await self._store(request, file)
                loop = asyncio.get_running_loop()
                lines = await loop.run_in_executor(
                    self._thread, self._classify, path, folder, analysis, name
                )
            except LiveSerError as error:
                self._service.metrics.add("errors_total", code="bad_sound")
                message = _hidden(path, name, error.message)
                return JSONResponse(error_record("bad_sound", message, error.hint), 422)
            except (ClientDisconnect, _ServerEnds):
                return JSONResponse(error_record("ending", "the server ends"), 503)
        return Response("".join(lines), media_type="application/x-ndjson")

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _store(self, request: Request, file: BinaryIO) -> None:
        """Write the posted data to a file.

        Raises:
            HTTPException: it is too large, or the client sends no more of it.
        """
        limits, size, chunks = self._service.limits, 0, request.stream()
        while (chunk := await self._next(chunks)) is not None:
            size += len(chunk)
            if size > limits.file_bytes:
                raise HTTPException(413, f"at most {limits.file_bytes // 2**20} MB")
            file.write(chunk)

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        idle = self._service.limits.idle
        try:
            async with self._service.waiting(idle):
                return await anext(chunks, None)
        except TimeoutError as error:
            if self._service.ending:
                raise _ServerEnds from error
            raise HTTPException(408, f"no more of the recording for {idle:g} s") from error

    def _classify(self, path: Path, folder: Path, analysis: Analysis, name: str) -> list[str]:
        """The records of a recording as JSON Lines.

        Raises:
            LiveSerError: it is not a sound file, or sound is missing.
        """
        model = self._service.model
        job = Job(model, folder, analysis, settings=analysis.description(model))

        def look() -> None:
            if self._service.ending:
                raise _ServerEnds

        (outcome,) = classify_files(job, [str(path)], workers=1, look=look)
        if outcome.error:
            raise outcome.error
        notes = [note_record(_hidden(path, name, note)) for note in outcome.notes]
        records = chain(notes, _named(outcome.records, name))
        return [f"{json_text(record)}\n" for record in records]


def _hidden(path: Path, name: str, text: str) -> str:
    """A message with the client's name in place of the server's path."""
    return text.replace(str(path), name)


def _named(records: Iterator[Record] | Any, name: str) -> Iterator[Record]:
    """The records with the client's name in place of the server's path."""
    for record in records:
        yield {
            field: name if field == "source" else value
            for field, value in record.items()
            if field != "key"
        }


def _options(query: Mapping[str, str]) -> tuple[Analysis, str]:
    """The options in a query, as those of ``live-ser file``, and the name of the recording.

    Raises:
        LiveSerError: an option is unknown or invalid, or options exclude each other.
    """
    for name in query:
        if name not in _KNOWN:
            raise LiveSerError(f"unknown parameter {name!r:.60}", f"one of {', '.join(_KNOWN)}")
    flags = {name: _flag(name, query.get(name, "false")) for name in _FLAGS}
    numbers = {
        name: _number(name, query[name], kind) if name in query else None
        for name, kind in {**_NUMBERS, "channels": int}.items()
    }
    reading = reading_of(
        channel=numbers["channel"],
        track=numbers["track"],
        raw=query.get("raw"),
        rate=numbers["rate"],
        channels=numbers["channels"],
        partial=flags.pop("partial"),
        each_channel=flags.pop("each_channel"),
        names=query["names"].split(",") if "names" in query else (),
    )
    name = re.sub(r"[\r\n]", " ", query.get("name", "sound"))[:LONGEST_NAME]
    wanted = flags["timeline"], flags["segments"]
    analysis = Analysis(numbers["hop"], numbers["smoothing"], *wanted, reading)
    return analysis, name


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false", "1", "0", ""):
        raise LiveSerError(f"{name} is {text!r:.60}, not true or false", f"{name}=true")
    return text not in ("false", "0")


def _number(name: str, text: str, kind: type) -> Any:
    try:
        number = kind(text)
    except ValueError:
        raise LiveSerError(f"{name} is {text!r:.60}, not a number", f"{name}=1") from None
    if not -1e9 < number < 1e9:
        raise LiveSerError(f"{name} is {text!r:.60}, not a number that it can be", f"{name}=1")
    return number
