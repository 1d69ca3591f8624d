"""What is known of the speaker of a session, and where it is kept."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo

if TYPE_CHECKING:
    from live_ser.model.onnx_model import EmotionModel
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline


def network_asked_for(arguments: Namespace) -> EmotionModel:
    """The network, with what the profile knows of the speaker if one was asked for.

    Raises:
        LiveSerError: the model cannot be loaded, or there is no such profile.
    """
    from live_ser.model.onnx_model import load

    network = load(arguments.model)
    if arguments.profile is None:
        return network
    from live_ser.model.profile import Profile

    _check_takes_a_baseline(network.info)
    profile = Profile.named(arguments.profile, network.info)
    if not profile.path.exists():
        raise LiveSerError(
            f"there is no profile {profile.name}",
            f"live-ser teach --profile {profile.name}, or listen --profile {profile.name}",
        )
    return profile.applied(network)


def _check_takes_a_baseline(info: ModelInfo) -> None:
    if info.baseline is None:
        raise LiveSerError(
            f"the model {info.name} judges every voice by itself",
            "leave out --enroll and --profile, or take another model",
        )


def baseline_asked_for(
    arguments: Namespace, network: EmotionModel
) -> tuple[EmotionModel, RunningBaseline | None, Profile | None]:
    """The network with what was taught, and the speaker's baseline and profile, if asked for.

    Raises:
        LiveSerError: the model takes no baseline, or the profile cannot be read.
    """
    if arguments.enroll is None and arguments.profile is None:
        return network, None, None
    from live_ser.model.profile import Profile
    from live_ser.model.speaker import RunningBaseline

    _check_takes_a_baseline(network.info)
    profile = None
    if arguments.profile is not None:
        profile = Profile.named(arguments.profile, network.info)
        network = profile.applied(network)
    return network, RunningBaseline.of(network, enrol=arguments.enroll or 0.0), profile
