"""The guided session of ``live-ser teach``: one emotion asked for after another."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from live_ser.audio.blocks import Block, Gap, Samples
from live_ser.audio.sources import microphone
from live_ser.cli.alternate_screen import BOLD, PLAIN, AlternateScreen
from live_ser.cli.attempt import Attempt
from live_ser.cli.errors import UsageError
from live_ser.cli.options import ChannelOptions
from live_ser.cli.teaching_report import report_lines
from live_ser.frontend.gate import CHUNK_SECONDS
from live_ser.frontend.stream import Features, FrontEnd
from live_ser.inference.takes import take_of
from live_ser.live.keys import pressed_keys
from live_ser.live.signals import ending_signals
from live_ser.model.onnx_model import EmotionModel
from live_ser.model.profile import Profile
from live_ser.model.take import Take
from live_ser.text import printable

SENTENCES = (
    "The train leaves at half past nine.",
    "I put the keys on the kitchen table.",
    "They moved into the house across the street.",
    "The letter came this morning.",
    "It will be ready by tomorrow afternoon.",
)
"""Examples of what to say; their meaning is neutral, so that only the voice has an emotion."""

_PAUSE = 1.0  # seconds without speech after which a take is over
_LONGEST = 12.0  # seconds of a take
_STEP = 0.25  # seconds between updates of the level
_WIDTH = 79  # columns of the page
_ENDING_SECONDS = 5.0  # limit for the session to end, even if something is stuck

_INTRO = (
    "This teaches live-ser how you sound. It asks for one emotion after another: say something "
    "as you sound then, in your own words or with a sentence that is shown. A take ends when you "
    "pause for a second.",
    "",
    "No sound is kept, only numbers of each take, in a file of yours.",
)
_ENTER = ("\n", "\r")
_SHOWN = 3  # sentences


class Screen(Protocol):
    """The screen of a guided session, such as an :class:`AlternateScreen`."""

    def key(self) -> str:
        """The key that was pressed since the last call."""

    def show(self, lines: Sequence[str]) -> None:
        """Show lines in place of the last ones."""

    def meter(self, share: float, speech: float) -> None:
        """Show the level, 0 to 1, and seconds of speech."""


class GuidedSession:
    """Asks for takes, and stores each in the profile as soon as it is accepted.

    Args:
        network: the model to teach.
        profile: the speaker's profile.
        prompts: the emotions to ask for, in order.
        screen: screen of the session.
        rounds: number of rounds; each asks for every emotion once, and ends with a report.
        ending: function that returns whether the session should end.
    """

    def __init__(
        self,
        network: EmotionModel,
        profile: Profile,
        prompts: Sequence[str],
        screen: Screen,
        *,
        rounds: int,
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._network, self._profile = network, profile
        self._prompts, self._rounds = prompts, max(1, rounds)
        self._screen, self._ending = screen, ending
        self._place = 0
        self._message = ""  # of the microphone
        self._offered: Take | None = None
        self._reading: Sequence[str] = _INTRO  # text for the user to read before it goes on
        self._doubtful: int | None = None  # place of the take that the report questions
        self._confirmed: list[Take] = []  # doubtful takes that the user has confirmed
        self._next_place: int | None = None  # after a doubtful take is repeated
        self.accepted: dict[int, Take] = {}  # by the place of their prompts, the newest last
        self._begin()

    def run(self, blocks: Iterable[Block]) -> None:
        """Go through the prompts, until the last one, the end of the sound, or the user ends it.

        Args:
            blocks: blocks of the microphone, mono at the model's rate.
        """
        self._page()
        for block in blocks:
            if not self._handle_key() or (self._is_over and not self._reading):
                break
            if (message := getattr(blocks, "message", "")) != self._message:
                self._message = message
                self._ask(message or "The microphone is back.")
            if not isinstance(block, Gap) and len(block) and self._is_listening:
                self._record(block)

    @property
    def _is_over(self) -> bool:
        return self._place >= len(self._prompts)

    @property
    def _is_listening(self) -> bool:
        return not self._reading and self._offered is None

    def _begin(self) -> None:
        """Start a take, without the sound so far."""
        self._offered, self._attempt = None, Attempt()
        self._front_end = FrontEnd(self._network.info, _STEP)

    def _ask(self, message: str = "") -> None:
        """Start a take and ask for it, with a message about the last one."""
        self._begin()
        self._page(message)

    def _page(self, message: str = "") -> None:
        """Show the progress, the prompt or the text to read, and the keys."""
        each = len(self._prompts) // self._rounds
        number = min(self._place, len(self._prompts) - 1)
        where = (
            f"{number + 1} of {len(self._prompts)}, round {number // each + 1} of {self._rounds}"
        )
        title = f" live-ser teach {self._profile.name:.32}"
        lines = [f"{title}{where:>{_WIDTH - len(title)}}", ""]
        if self._reading:
            goes_on = "end" if self._is_over else "go on" if self._place else "begin"
            keys = f"Enter {goes_on}   b back   q end" if self._place else "Enter begin   q end"
            if self._doubtful is not None:
                keys = f"Enter keep it and {goes_on}   r repeat it   b back   q end"
            self._screen.show([*lines, *(f" {line}" for line in self._reading), "", f" {keys}", ""])
            return
        shown = [SENTENCES[(self._place + at) % len(SENTENCES)] for at in range(_SHOWN)]
        undo = "u undo   " if self.accepted else ""
        back = "b back   " if self._place else ""
        keys = f"r repeat   s skip   {back}{undo}q end"
        if self._offered is not None:
            keys = f"Enter accept   {keys}"
        lines += [
            " Say something as you sound when you are",
            "",
            f"     {BOLD}{self._prompts[self._place]}{PLAIN}",
            "",
            " in your own words, or for instance:",
            *(f"     {sentence}" for sentence in shown),
            "",
            f" {message}",
            "",
            f" {keys}",
            "",
            "",
        ]
        self._screen.show(lines)

    def _record(self, block: Samples) -> None:
        """Add a block to the take, and offer the take when it is over."""
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
        spoken = float(np.count_nonzero(features.mask)) * CHUNK_SECONDS
        attempt.speech += spoken
        attempt.quiet = 0.0 if spoken else attempt.quiet + _STEP
        share = float(np.clip((features.level_db + 60) / 60, 0, 1))
        self._screen.meter(share, attempt.speech)

    def _offer(self) -> None:
        """Offer the take, or ask again and say what was wrong with it."""
        take = take_of(self._network, [self._attempt.samples], self._prompts[self._place])
        complaint = self._attempt.complaint() or ("" if take else "too short")
        if complaint:
            self._ask(f"That was {complaint}. Once more, please.")
            return
        self._offered = take
        self._page(f"Heard {self._attempt.speech:.1f} s of speech.")

    def _handle_key(self) -> bool:
        """Handle the key that was pressed; False to end the session."""
        key = self._screen.key()
        if key == "q" or self._ending():
            return False
        if self._reading and key in _ENTER:
            self._confirm()
        elif self._reading and key == "r" and self._doubtful is not None:
            self._next_place = self._place
            self._place, self._reading = self._doubtful, ()
            self._ask("Once more, then. The earlier take stays until you accept another one.")
        elif key == "b" and self._place:
            self._go_to(self._place - 1, "The earlier take stays unless you accept another one.")
        elif self._reading:
            pass
        elif key in _ENTER and self._offered is not None:
            self._accept(self._offered)
        elif key == "u":
            self._undo()
        elif key == "r":
            self._ask("Once more, then.")
        elif key == "s":
            self._go_to(self._place + 1, "Skipped.")
        return True

    def _go_to(self, place: int, message: str) -> None:
        forth = place > self._place
        if forth and self._next_place is not None:
            place, self._next_place = self._next_place, None
        self._place, self._reading = place, ()
        message = message if forth or place in self.accepted else ""
        if forth and place % (len(self._prompts) // self._rounds) == 0 and self.accepted:
            self._reading = self._report()
        if self._is_over and not self._reading:
            return
        self._ask(message)

    def _report(self) -> list[str]:
        """The report so far, with a question about the most doubtful take."""
        teaching = self._profile.teach([])
        lines = report_lines(teaching.report)
        self._doubtful = None
        for doubt in teaching.report.doubtful:
            take = teaching.takes[doubt.take]
            places = [place for place, one in self.accepted.items() if one.is_same(take)]
            if places and not any(one.is_same(take) for one in self._confirmed):
                self._doubtful = places[0]
                number = self._doubtful // (len(self._prompts) // self._rounds) + 1
                doubted = f"Your {doubt.emotion} take of round {number} sounds "
                return [*lines, "", f"{doubted}{doubt.sounds_like} to it. Was it as you meant it?"]
        return lines

    def _confirm(self) -> None:
        """Go on after the text; a doubtful take is confirmed."""
        if self._doubtful is not None:
            self._confirmed.append(self.accepted[self._doubtful])
            self._doubtful = None
        self._reading = ()
        if not self._is_over:
            self._ask()

    def _accept(self, take: Take) -> None:
        """Store a take, in place of an earlier one for the same prompt."""
        before = self.accepted.pop(self._place, None)
        self._profile.teach([take], instead_of=[before] if before else [])
        self.accepted[self._place] = take
        self._go_to(self._place + 1, "Kept.")

    def _undo(self) -> None:
        """Remove the newest accepted take, and ask for it again."""
        if not self.accepted:
            return
        place, take = self.accepted.popitem()
        self._profile.exchange([take], [])
        self._place = place
        self._ask("The last take is taken back.")


def prompts_of(emotions: Sequence[str], rounds: int) -> list[str]:
    """Every emotion once in each round, in a random order that is always the same."""
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
        network: the model to teach.
        profile: the speaker's profile.
        emotions: emotions to ask for; empty for all of the model's.
        rounds: number of takes of each emotion.
        device: index or part of the name of the microphone; None for the default one.
        channels: channels of the microphone.

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
        ending_signals(_ENDING_SECONDS) as ending,
        microphone(device, rate, channels=channels.channels, channel=channels.channel) as source,
        pressed_keys() as key,
        AlternateScreen(key) as screen,
    ):
        session = GuidedSession(
            network,
            profile,
            prompts_of(emotions or labels, rounds),
            screen,
            rounds=rounds,
            ending=ending,
        )
        session.run(source)
    _report(profile)
    return 0


def _report(profile: Profile) -> None:
    """Print the report of a profile."""
    stored = profile.read()
    if stored and stored[1]:
        print("\n".join(report_lines(profile.teach([]).report)))
        print(f"profile {profile.name}: {printable(str(profile.path))}")
    else:
        print("nothing was taught")
