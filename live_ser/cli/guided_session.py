"""The guided session of ``live-ser teach``: one emotion asked for after another."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from live_ser.audio.blocks import Block, Gap, Samples
from live_ser.audio.sources import microphone
from live_ser.cli.errors import UsageError
from live_ser.cli.options import ChannelOptions
from live_ser.cli.teaching_report import report_lines
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.takes import hear_take
from live_ser.live.keys import NO_KEY, pressed_keys
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.taught import Take

SENTENCES = (
    "The train leaves at half past nine.",
    "I put the keys on the kitchen table.",
    "They moved into the house across the street.",
    "The letter came this morning.",
    "It will be ready by tomorrow afternoon.",
)
"""That may be spoken; they mean nothing, so that only the voice tells."""

_PAUSE = 1.0  # seconds without speech after which a take is over
_LONGEST = 12.0  # seconds of a take
_SHORTEST = 0.7  # seconds of speech
_SOFTEST = -50.0  # dB re full scale
_CLIPPED = 0.002  # share of samples at full scale
_CLEAR = 10.0  # dB of speech over the rest
_CHUNK = 0.032  # seconds of the speech gate's chunks
_BAR = 30  # columns of the level

_INTRO = """\
This teaches live-ser how you sound. Say each sentence as you sound in the
emotion it asks for: your own words, or one of those shown. No sound is kept,
only numbers of each take, in a file of yours.
"""


@dataclass
class Attempt:
    """A take while it is spoken.

    Attributes:
        blocks: of it so far.
        speech: seconds of speech.
        quiet: seconds since the last speech.
    """

    blocks: list[Samples] = field(default_factory=list)
    speech: float = 0.0
    quiet: float = 0.0

    @property
    def samples(self) -> Samples:
        """All of it."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.float32)

    def complaint(self) -> str:
        """What is wrong with it; empty where it will do."""
        samples = self.samples
        if self.speech < _SHORTEST:
            return "too short"
        if np.mean(np.abs(samples) >= 0.99) > _CLIPPED:
            return "clipped: turn the input gain down"
        frames = samples[: len(samples) // 512 * 512].reshape(-1, 512)
        levels = np.sort(10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-10))
        loud, soft = levels[int(0.9 * len(levels))], levels[int(0.05 * len(levels))]
        if loud < _SOFTEST:
            return "too soft: come closer, or turn the input gain up"
        if loud - soft < _CLEAR:
            return "too noisy: your voice hardly stands out"
        return ""


class GuidedSession:
    """Asks for takes, hears them and writes each down as soon as it is accepted.

    Args:
        network: that is taught.
        profile: that the takes go into.
        prompts: emotions that are asked for, in this order.
        rounds: after how many prompts each a report is due.
        key: tells which key was pressed since it was last asked.
        write: takes text for the terminal.
    """

    def __init__(
        self,
        network: EmotionModel,
        profile: Profile,
        prompts: Sequence[str],
        *,
        rounds: int,
        key: Callable[[], str],
        write: Callable[[str], None],
    ) -> None:
        self._network, self._profile = network, profile
        self._prompts, self._round = prompts, len(prompts) // max(1, rounds)
        self._key, self._write = key, write
        self._place = 0
        self._attempt = Attempt()
        self._front_end = FrontEnd(network.info, 0.25)
        self._offered: Take | None = None
        self.accepted: list[Take] = []

    def run(self, blocks: Iterable[Block]) -> None:
        """Go through the prompts, until they or the sound end, or the user ends it."""
        self._write(_INTRO + "\n")
        self._ask()
        for block in blocks:
            if not self._obey() or self._place >= len(self._prompts):
                break
            if isinstance(block, Gap) or self._offered is not None or not len(block):
                continue
            self._hear(block)
        self._write("\n")

    def _ask(self) -> None:
        """Ask for the next take."""
        self._offered, self._attempt = None, Attempt()
        self._front_end = FrontEnd(self._network.info, 0.25)
        if self._place >= len(self._prompts):
            return
        emotion = self._prompts[self._place]
        sentence = SENTENCES[self._place % len(SENTENCES)]
        self._write(
            f"\n{self._place + 1} of {len(self._prompts)}   as you sound when you are "
            f"\033[1m{emotion}\033[0m:\n   your own words, or: {sentence}\n"
        )

    def _hear(self, block: Samples) -> None:
        """Hear a block of the take; offer the take when it is over."""
        attempt = self._attempt
        attempt.blocks.append(block)
        for features in self._front_end.push(block):
            self._count(features)
        seconds = len(attempt.samples) / self._network.info.features.sample_rate
        if (attempt.speech and attempt.quiet >= _PAUSE) or seconds >= _LONGEST:
            self._offer()
        elif not attempt.speech and seconds > 2 * _PAUSE:
            del attempt.blocks[0]  # what was before the take

    def _count(self, features: Features) -> None:
        attempt = self._attempt
        spoken = float(np.count_nonzero(features.mask)) * _CHUNK
        attempt.speech += spoken
        attempt.quiet = 0.0 if spoken else attempt.quiet + 0.25
        columns = int(np.clip((features.level_db + 60) / 60 * _BAR, 0, _BAR))
        bar = "█" * columns + "·" * (_BAR - columns)
        self._write(f"\r   {bar}  speech {attempt.speech:4.1f} s ")

    def _offer(self) -> None:
        """Say whether the take will do."""
        emotion = self._prompts[self._place]
        complaint = self._attempt.complaint()
        take = hear_take(self._network, [self._attempt.samples], emotion)
        complaint = complaint or ("" if take else "too short")
        if complaint:
            self._write(f"\n   {complaint}. Once more, please.\n")
            self._ask()
            return
        self._offered = take
        self._write("\n   Enter accept   r repeat   s skip   b back   q end\n")

    def _obey(self) -> bool:
        """Do what a key asks for; whether to go on."""
        key = self._key()
        if key == "q":
            return False
        if key in ("\n", "\r") and self._offered is not None:
            self._accept(self._offered)
        elif key == "r":
            self._ask()
        elif key == "s":
            self._place += 1
            self._ask()
        elif key == "b" and self._place:
            self._place -= 1
            self._ask()
        return True

    def _accept(self, take: Take) -> None:
        teaching = self._profile.teach([take])
        self.accepted.append(take)
        self._place += 1
        if self._round and self._place % self._round == 0:
            self._write("\n" + "\n".join(report_lines(teaching.report)) + "\n")
        self._ask()


def prompts_of(emotions: Sequence[str], rounds: int) -> list[str]:
    """Every emotion once in each round, in an order that mixes them."""
    order: list[str] = []
    for number in range(rounds):
        mixed = list(emotions)
        random.Random(number).shuffle(mixed)  # noqa: S311
        if order and len(mixed) > 1 and mixed[0] == order[-1]:
            mixed = [*mixed[1:], mixed[0]]
        order += mixed
    return order


def guided_session(
    network: EmotionModel,
    profile: Profile,
    *,
    emotions: Sequence[str],
    rounds: int,
    device: str | None,
    channels: ChannelOptions,
) -> int:
    """Run a guided session with a microphone, in the terminal.

    Args:
        network: that is taught.
        profile: that the takes go into.
        emotions: that are asked for; all of the model's if there are none.
        rounds: takes of each emotion.
        device: index or part of the name of the microphone.
        channels: of it.

    Raises:
        LiveSerError: there is no terminal, no microphone, or no such emotion.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "a guided session needs a terminal", "teach from recordings: --from FOLDER"
        )
    labels = network.info.labels
    if unknown := [one for one in emotions if one not in labels]:
        raise UsageError(f"this model has no emotion {unknown[0]!r}", ", ".join(labels))
    rate = network.info.features.sample_rate
    with (
        microphone(device, rate, channels=channels.channels, channel=channels.channel) as source,
        pressed_keys() as key,
    ):
        session = GuidedSession(
            network,
            profile,
            prompts_of(emotions or labels, rounds),
            rounds=rounds,
            key=lambda: key() or NO_KEY,
            write=_write,
        )
        session.run(source)
    kept = profile.read()
    if kept and kept[1]:
        report = profile.teach([]).report
        print("\n".join(report_lines(report)))
        print(f"profile {profile.name}: {profile.path}")
    else:
        print("nothing was taught")
    return 0


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
