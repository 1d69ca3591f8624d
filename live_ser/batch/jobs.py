"""Archives: many recordings, classified one by one, here or by worker processes."""

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
from live_ser.batch.paths import not_meant
from live_ser.batch.spool import Spool
from live_ser.batch.workers import Tell, Workers, cores
from live_ser.errors import LiveSerError
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Prediction, Segment, Verdict
from live_ser.inference.settings import Settings
from live_ser.inference.turns import classify_turns_and_check
from live_ser.model.onnx_model import EmotionModel
from live_ser.records.schema import Record, clip_record, segment_record, window_record

_MANY_BYTES = 4 * 2**20  # of sound: a second's work, about what starting workers takes
_TELL_EVERY = 0.25  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes:
        source: name of the file.
        seconds: of sound in it; 0 where it could not be classified.
        records: its windows and segments as they were found, and its clip at the end; one clip for
            each channel, where each is classified separately.
        error: why there are none, if there are none.
        notes: what the user should know of the file, a line each.
    """

    source: str
    seconds: float
    records: Spool
    error: LiveSerError | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """What is done with each file. It can be pickled, as its model can.

    Attributes:
        model: the model.
        folder: for records, where they are many.
        analysis: how each is classified.
        judged_with: what each clip says of the options, for ``--resume`` to compare.
        threads: that work on a file: one or two.

    Raises:
        LiveSerError: the hop or the smoothing cannot be.
    """

    model: EmotionModel
    folder: Path
    analysis: Analysis = USUAL
    judged_with: str = ""
    threads: int = 1

    def __post_init__(self) -> None:
        # What cannot be is said once, not for each file.
        Settings.checked(self.model.info, self.analysis.hop, self.analysis.smoothing)

    def __call__(self, path: str, tell: Tell) -> Outcome:
        """Classify one file; whatever is wrong with it comes out as the outcome's error.

        Args:
            path: of the file.
            tell: hears now and then what share of it is done, 0 to 1.
        """
        spool = Spool(self.folder)
        try:
            seconds, notes = self._classify(path, spool, tell)
        except LiveSerError as error:
            spool.drop()
            return Outcome(path, 0.0, spool, not_meant(path) or error)
        except Exception as error:  # whatever it is, the other files are classified
            spool.drop()
            message = f"cannot classify {path}: {type(error).__name__}: {error}"
            return Outcome(
                path, 0.0, spool, LiveSerError(message, "convert it to WAV and try that")
            )
        spool.close()
        return Outcome(path, seconds, spool, notes=notes)

    def lost(self, path: str) -> Outcome:
        """What came of a file whose worker died, and died again."""
        error = LiveSerError(
            f"{path} ended the process that classified it, or held it up, twice",
            "classify it alone, with `workers=1`",
        )
        return Outcome(path, 0.0, Spool(self.folder), error)

    def _classify(self, path: str, spool: Spool, tell: Tell) -> tuple[float, tuple[str, ...]]:
        rate, analysis = self.model.info.features.sample_rate, self.analysis
        stamp = Stamp(path, self.judged_with)
        with audio_file(path, rate, analysis.reading) as blocks:
            known = blocks.duration
            sound = _with_progress(blocks, rate, known, tell)
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
        self, path: str, sound: Iterable[Samples], voices: Sequence[Voice]
    ) -> tuple[Iterable[Prediction | Segment | Verdict], list[str]]:
        """What is found in a recording, and what the user should know of what was looked for."""
        analysis = self.analysis
        if analysis.at is not None:
            found, notes = classify_turns_and_check(self.model, sound, analysis.at.turns_of(path))
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
    """Classify files, in the order in which they are named.

    Args:
        job: what to do with each.
        paths: of the files.
        workers: processes of one thread; None for as many as there are cores if there is much to
            do. One does it in this process, and with two threads where it was not asked for; so
            it does where sound comes through pipes, which only this process has.
        progress: called now and then with the number of a file, and what share of it is done.
        look: called now and then; what it raises ends it all.
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

        def tell(share: float, number: int = number) -> None:
            progress(number, share)
            look()

        yield job(path, tell)


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


def _with_progress(
    blocks: Iterable[Samples], rate: int, seconds: float, tell: Tell
) -> Iterator[Samples]:
    """The same blocks, while progress is reported."""
    samples, last = 0, time.monotonic()
    for block in blocks:
        yield block
        samples += len(block)
        if (now := time.monotonic()) - last > _TELL_EVERY:
            last = now
            tell(min(1.0, samples / rate / seconds))


def _record(result: Prediction | Segment) -> Record:
    return window_record(result) if isinstance(result, Prediction) else segment_record(result)
