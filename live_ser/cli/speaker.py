"""What is known of the speaker of a session, and where it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo

if TYPE_CHECKING:
    from live_ser.model.onnx_model import EmotionModel
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline


def taught_model(name: str | None, profile_name: str | None) -> EmotionModel:
    """The model, with what a profile knows of the speaker if one is named.

    Raises:
        LiveSerError: the model cannot be loaded, or there is no such profile.
    """
    from live_ser.model.onnx_model import load

    network = load(name)
    if profile_name is None:
        return network
    from live_ser.model.profile import Profile

    _check_takes_a_baseline(network.info)
    profile = Profile.named(profile_name, network)
    if not profile.path.exists():
        raise LiveSerError(
            f"there is no profile {profile.name}",
            f"live-ser teach --profile {profile.name}, or listen --profile {profile.name}",
        )
    return profile.applied()


def _check_takes_a_baseline(info: ModelInfo) -> None:
    if info.baseline is None:
        raise LiveSerError(
            f"the model {info.name} uses no speaker baseline",
            "leave out --enroll and --profile, or take another model",
        )


def speaker_of(
    network: EmotionModel, profile_name: str | None, enroll: float | None = None
) -> tuple[EmotionModel, RunningBaseline | None, Profile | None]:
    """The model as a speaker taught it, and their baseline and profile, if there are any.

    Args:
        network: the model as it was loaded.
        profile_name: of the speaker; None where nothing is kept.
        enroll: seconds of speech from which the baseline is made; None where it is not asked for.

    Raises:
        LiveSerError: the model takes no baseline, or the profile cannot be read.
    """
    if enroll is None and profile_name is None:
        return network, None, None
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline

    _check_takes_a_baseline(network.info)
    profile = None
    if profile_name is not None:
        profile = Profile.named(profile_name, network)
        network = profile.applied()
    return network, RunningBaseline.of(network, enrol=enroll or 0.0), profile
