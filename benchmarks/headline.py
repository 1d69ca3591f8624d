"""How often the headline changes, and how soon it is right: ``python -m benchmarks.headline``.

The clips of each speaker are cut to their speech, concatenated with pauses, and classified through
the live path; ``HeadlineTracker`` gives the headline, as on the dashboard. ``LIVE_SER_DATA`` is the
folder of the corpora. The shipped model was trained on their speakers, so that it is right more
often here than for new speakers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.table import Cell, Table
from live_ser.audio.blocks import Samples
from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.inference.monitor import Monitor
from live_ser.live.headline import HeadlineTracker
from live_ser.model.onnx_model import EmotionModel, load
from training.corpora.catalogue import read_corpus
from training.corpora.clips import Clip
from training.corpora.labels import targets
from training.data.sound import read_sound
from training.evaluation.sessions import by_speaker, room_tone

SPEAKERS = {"ravdess": 6, "emodb": 4}
PAUSES = {"0.3 to 0.9 s": (0.3, 0.9), "1.1 to 2.5 s": (1.1, 2.5)}
RUN = 3  # clips of the same emotion in a row, as in a mood
_SECONDS = 150.0  # of a session
_MARGIN = 0.1  # seconds around the speech of a clip
_ROOM_DB = -35.0  # level of the room relative to that of the session


@dataclass(frozen=True)
class Utterance:
    """A clip in a session: start and end of its speech in seconds, and its emotion."""

    start: float
    end: float
    label: str


@dataclass
class Score:
    """Counts over sessions."""

    seconds: float = 0.0
    changes: int = 0  # of the headline
    moods: int = 0  # changes of the acted emotion
    utterances: int = 0
    delays: list[float] | None = None  # seconds until the headline was right, where it ever was

    def row(self, name: str) -> list[Cell]:
        delays = self.delays or []
        per_minute = 60 / self.seconds
        share = f"{100 * len(delays) / self.utterances:.0f} %"
        median = float(np.median(delays)) if delays else None
        return [name, self.changes * per_minute, self.moods * per_minute, share, median]


def measure(data: Path) -> Table:
    """The changes of the headline per minute, and the seconds until it is right."""
    model = load()
    rows: list[list[Cell]] = []
    for corpus, count in SPEAKERS.items():
        clips = [clip for clip in read_corpus(corpus, data).clips if clip.emotion != "bored"]
        speakers = by_speaker(clips)[:: max(1, len(by_speaker(clips)) // count)][:count]
        for pauses, between in PAUSES.items():
            for run in (RUN, 1):
                score = Score(delays=[])
                for one in speakers:
                    _score(model, one, between, run, score)
                mood = f"{run} alike" if run > 1 else "each another"
                rows.append(score.row(f"{corpus}, pauses {pauses}, {mood}"))
                print(rows[-1], file=sys.stderr)
    columns = ("speech", "changes a minute", "of the actor", "ever right", "until right, median s")
    return Table("The headline", columns, rows, ())


def _score(
    model: EmotionModel,
    clips: Sequence[Clip],
    pauses: tuple[float, float],
    run: int,
    score: Score,
) -> None:
    """Classify a session of one speaker's clips, and update the counts."""
    sound, utterances = _session(model, clips, pauses, run)
    rate = model.info.features.sample_rate
    size = rate // 20
    tracker = HeadlineTracker()
    shown: list[tuple[float, str, bool]] = []
    for window in Monitor(model, [sound[i : i + size] for i in range(0, len(sound), size)]):
        headline = tracker.push(window)
        fresh = headline is not None and headline.kind == "speech" and headline.is_current
        shown.append((window.end, headline.word if headline else "", fresh))
    score.seconds += len(sound) / rate
    score.changes += sum(a[1] != b[1] for a, b in pairwise(shown))
    score.moods += sum(a.label != b.label for a, b in pairwise(utterances))
    score.utterances += len(utterances)
    ends = [*(next_.start for next_ in utterances[1:]), utterances[-1].end + pauses[1]]
    for utterance, end in zip(utterances, ends, strict=True):
        right = (
            at - utterance.start
            for at, word, fresh in shown
            if fresh and word == utterance.label and utterance.start <= at <= end
        )
        if (delay := next(right, None)) is not None and score.delays is not None:
            score.delays.append(delay)


def _session(
    model: EmotionModel, clips: Sequence[Clip], pauses: tuple[float, float], run: int
) -> tuple[Samples, list[Utterance]]:
    """A session: clips with pauses of a quiet room between them."""
    rate, rng = model.info.features.sample_rate, np.random.default_rng(1)
    labels = model.info.labels
    parts: list[Samples] = []
    utterances: list[Utterance] = []
    length = 0
    for clip in _in_runs(clips, run, rng):
        if length > _SECONDS * rate:
            break
        whole = read_sound(clip.path, rate)
        spoken = np.flatnonzero(speech_mask(whole, rate, model.info.gate))
        if not len(spoken):
            continue
        start = max(0, round((spoken[0] * CHUNK_SECONDS - _MARGIN) * rate))
        stop = round(((spoken[-1] + 1) * CHUNK_SECONDS + _MARGIN) * rate)
        speech = whole[start:stop]
        pause = np.zeros(round(rng.uniform(*pauses) * rate), np.float32)
        begin = (length + len(pause)) / rate + _MARGIN
        length += len(pause) + len(speech)
        parts += [pause, speech]
        label = labels[int(targets([clip], labels)[0])]
        utterances.append(Utterance(begin, length / rate - _MARGIN, label))
    sound = np.concatenate([*parts, np.zeros(2 * rate, np.float32)])
    level = 20 * np.log10(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return (sound + room_tone(len(sound), level + _ROOM_DB, rng)).astype(np.float32), utterances


def _in_runs(clips: Sequence[Clip], run: int, rng: np.random.Generator) -> list[Clip]:
    """Clips in random order, in runs of the same emotion of a given length."""
    shuffled = [clips[i] for i in rng.permutation(len(clips))]
    by_emotion: dict[str, list[Clip]] = {}
    for clip in shuffled:
        by_emotion.setdefault(clip.emotion, []).append(clip)
    if run == 1:
        return shuffled
    order: list[Clip] = []
    while any(by_emotion.values()):
        for emotion in rng.permutation([name for name, left in by_emotion.items() if left]):
            order += by_emotion[emotion][:run]
            del by_emotion[emotion][:run]
    return order


if __name__ == "__main__":
    if "LIVE_SER_DATA" not in os.environ:
        sys.exit("LIVE_SER_DATA does not say where the corpora lie")
    measure(Path(os.environ["LIVE_SER_DATA"])).print()
