"""What is known of the speaker of a session, and where it is kept."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo

if TYPE_CHECKING:
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline


def baseline_asked_for(
    arguments: Namespace, info: ModelInfo
) -> tuple[RunningBaseline | None, Profile | None]:
    """The speaker's baseline and profile, each if it was asked for.

    Raises:
        LiveSerError: the model takes no baseline, or the profile cannot be read.
    """
    if arguments.enroll is None and arguments.profile is None:
        return None, None
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline

    if info.baseline is None:
        raise LiveSerError(
            f"the model {info.name} judges every voice by itself",
            "leave out --enroll and --profile, or take another model",
        )
    baseline = RunningBaseline(info, enrol=arguments.enroll or 0.0)
    profile = Profile.named(arguments.profile, info) if arguments.profile is not None else None
    if profile:
        profile.begin(baseline)
    return baseline, profile
