"""Classify many recordings, in this process or by worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from live_ser.audio.blocks import Samples, Voice
from live_ser.audio.decoder import spans
from live_ser.audio.sources import audio_file, is_pipe
from live_ser.batch.analysis import USUAL, Analysis, Stamp
from live_ser.batch.paths import why_not_a_file
from live_ser.batch.spool import Spool
from live_ser.batch.workers import Report, Workers, cores
from live_ser.errors import AudioError, LiveSerError, shortage, unreadable
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Prediction, Segment, Verdict
from live_ser.inference.settings import Settings
from live_ser.inference.turns import classify_turns_and_check
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.record import Record, clip_record, segment_record, window_record

_MANY_BYTES = 4 * 2**20  # of sound: about a second of work, as long as starting workers takes
_REPORT_EVERY = 0.25  # seconds


@dataclass(frozen=True)
class Outcome:
    """The outcome for one file.

    Attributes:
        source: name of the file.
        seconds: length of its sound; 0 if it failed.
        records: records of its windows and segments, and of the clip at the end; of a clip for each
            channel if they are classified separately.
        error: why it failed; None if it did not.
        notes: warnings about the file, a line each.
    """

    source: str
    seconds: float
    records: Spool
    error: LiveSerError | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """The work on each file. It can be pickled.

    Attributes:
        model: the model.
        folder: temporary folder for many records.
        analysis: the settings of the analysis.
        settings: the settings in words, as in records of clips.
        threads: number of threads per file: 1 or 2.

    Raises:
        LiveSerError: the hop or the smoothing is out of range.
    """

    model: EmotionModel
    folder: Path
    analysis: Analysis = USUAL
    settings: str = ""
    threads: int = 1

    def __post_init__(self) -> None:
        # Once, rather than for each file.
        Settings.checked(self.model.info, self.analysis.hop, self.analysis.smoothing)

    def __call__(self, path: str, report: Report) -> Outcome:
        """Classify one file; errors become the error of the outcome.

        Args:
            path: path of the file.
            report: function that is called with the share that is done, 0 to 1.
        """
        spool = Spool(self.folder)
        try:
            seconds, notes = self._classify(path, spool, report)
        except LiveSerError as error:
            spool.drop()
            return Outcome(path, 0.0, spool, why_not_a_file(path) or error)
        except Exception as error:  # so that the other files are classified in any case
            spool.drop()
            return Outcome(path, 0.0, spool, _why_not(path, error))
        spool.close()
        return Outcome(path, seconds, spool, notes=notes)

    def lost(self, path: str) -> Outcome:
        """The outcome for a file whose worker died twice."""
        error = LiveSerError(
            f"{path} ended the process that classified it, or held it up, twice",
            "classify it alone, with `workers=1`",
        )
        return Outcome(path, 0.0, Spool(self.folder), error)

    def _classify(self, path: str, spool: Spool, report: Report) -> tuple[float, tuple[str, ...]]:
        rate, analysis = self.model.info.features.sample_rate, self.analysis
        stamp = Stamp(path, self.settings)
        with audio_file(path, rate, analysis.reading) as blocks:
            known = blocks.duration
            sound = _WithProgress(blocks, rate, known, report)
            results, notes = self._results(path, sound, blocks.voices)
            verdicts = []
            for result in results:
                if isinstance(result, Verdict):
                    verdicts.append(replace(result, missing=spans(blocks.missing)))
                else:
                    spool.write(stamp.on(_record(result)))
            for number, verdict in enumerate(verdicts, start=1):
                which = {"channel": blocks.channel, "track": blocks.track}
                clip = clip_record(path, verdict, part=(number, len(verdicts)), **which)
                spool.write(stamp.on(clip))
        return verdict.duration, (*blocks.notes, *notes)

    def _results(
        self, path: str, sound: _WithProgress, voices: Sequence[Voice]
    ) -> tuple[Iterable[Prediction | Segment | Verdict], list[str]]:
        """The results for a recording, and warnings."""
        analysis = self.analysis
        if analysis.at is not None:
            turns = analysis.at.turns_of(path)
            found, notes = classify_turns_and_check(self.model, sound, turns, sound.look)
            return found, [f"{path}: {note}" for note in notes]
        results = analyse(
            self.model,
            sound,
            voices=voices,
            hop=analysis.hop,
            smoothing=analysis.smoothing,
            timeline=analysis.timeline,
            segments=analysis.segments,
            threads=self.threads,
        )
        return results, []


def classify_files(
    job: Job,
    paths: Sequence[str],
    *,
    workers: int | None = None,
    progress: Callable[[int, float], None] = lambda number, share: None,
    look: Callable[[], None] = lambda: None,
) -> Generator[Outcome, None, None]:
    """Classify files, in order.

    Args:
        job: the work on each file.
        paths: paths of the files.
        workers: number of worker processes; None for one per core, or, for little sound, for none
            and two threads in this process. 1 is this process, which is also used for pipes.
        progress: function that is called with the index of a file, and the share that is done.
        look: function that is called regularly; an exception in it ends the work.
    """
    count = min(workers or (cores() if _are_many(paths) else 1), len(paths))
    count = 1 if any(map(is_pipe, paths)) else count
    if count > 1:
        pool = Workers(job, job.lost, count, progress=progress, look=look)
        yield from pool.results(paths)
        return
    job = replace(job, threads=2 if workers is None and cores() > 1 else 1)
    for number, path in enumerate(paths):
        look()

        def report(share: float, number: int = number) -> None:
            progress(number, share)
            look()

        yield job(path, report)


def _are_many(paths: Iterable[str]) -> bool:
    total = 0
    for path in paths:
        try:
            total += os.stat(path).st_size
        except OSError:
            continue
        if total > _MANY_BYTES:
            return True
    return False


def _why_not(path: str, error: Exception) -> LiveSerError:
    """Why a file cannot be classified: what there is too little of, or what is unexpected in it."""
    if lacking := shortage(error):
        return LiveSerError(f"cannot classify {path}: {lacking.message}", lacking.hint)
    if isinstance(error, OSError):
        return unreadable(path, error, AudioError)
    message = f"cannot classify {path}: {type(error).__name__}: {error}"
    return LiveSerError(message, "convert it to WAV and try that")


class _WithProgress:
    """Blocks of sound, with reports of progress.

    Args:
        blocks: the blocks.
        rate: their sample rate in Hz.
        seconds: length of all of them.
        report: function that is called with the share that is done.
    """

    def __init__(
        self, blocks: Iterable[Samples], rate: int, seconds: float, report: Report
    ) -> None:
        self._blocks, self._whole, self._report = blocks, rate * seconds, report
        self._samples, self._last = 0, time.monotonic()

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            yield block
            self._samples += len(block)
            self.look()

    def look(self) -> None:
        """Report the progress, unless that was done just now."""
        if (now := time.monotonic()) - self._last > _REPORT_EVERY:
            self._last = now
            self._report(min(1.0, self._samples / self._whole))


def _record(result: Prediction | Segment) -> Record:
    return window_record(result) if isinstance(result, Prediction) else segment_record(result)
