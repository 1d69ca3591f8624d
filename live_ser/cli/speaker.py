"""The profile, baseline and taught model of a speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo

if TYPE_CHECKING:
    from live_ser.model.onnx_model import EmotionModel
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline


def taught_model(name: str | None, profile_name: str | None) -> EmotionModel:
    """The model, with the profile of a speaker if one is named.

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
    """The taught model, the baseline and the profile of a speaker, if there are any.

    Args:
        network: the loaded model.
        profile_name: name of the profile; None for none.
        enroll: seconds of neutral speech at the start; None for no enrolment.

    Raises:
        LiveSerError: the model uses no baseline, or the profile cannot be read.
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
