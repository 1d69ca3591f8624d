"""Input devices: list, find and open them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from live_ser.audio.blocks import Interleaved
from live_ser.audio.capture_clock import host_clock
from live_ser.errors import DeviceError
from live_ser.extras import as_root
from live_ser.text import counted

COMMON_RATES = (8000, 16000, 22050, 32000, 44100, 48000, 96000)

_SERVER_CHANNELS = 32  # sound servers claim this many or more, whatever the microphone has

CLOSE_SECONDS = 1.0  # time limit for closing a device
BLOCK_SECONDS = 0.05  # length of a block: 20 a second are enough for a level meter

# PortAudio has one state per process, and is not thread-safe.
_one_at_a_time = threading.RLock()
_open_streams: set[int] = set()


class Times(NamedTuple):
    """When a block was captured and arrived, by the host's clock.

    Attributes:
        captured: when its first sample was captured, according to the device.
        arrived: when the block arrived.
    """

    captured: float
    arrived: float


Callback = Callable[[Interleaved, Times, bool], None]


class NoMicrophoneError(DeviceError):
    """There is no microphone, or no PortAudio."""


@dataclass(frozen=True)
class InputDevice:
    """An input device.

    Attributes:
        index: index in PortAudio.
        name: name in PortAudio.
        host: its audio system, such as ALSA, Core Audio or WASAPI.
        channels: maximum number of channels.
        default_rate: default sample rate in Hz.
        is_default: whether it is the system's default input.
        in_default_host: whether it belongs to the default audio system.
    """

    index: int
    name: str
    host: str
    channels: int
    default_rate: int
    is_default: bool
    in_default_host: bool


class InputStream(Protocol):
    """An open input, which calls back until it is closed.

    Attributes:
        name: name of the device.
        rate: sample rate in Hz.
        channels: number of channels.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def rate(self) -> int: ...  # noqa: D102

    @property
    def channels(self) -> int: ...  # noqa: D102

    def close(self) -> None:
        """Stop calling back."""


class Opener(Protocol):
    """A function that opens an input; :func:`open_input` opens real devices."""

    def __call__(
        self,
        device: int | str | None,
        rate: int,
        channels: int | None,
        callback: Callback,
        *,
        channel: int | None = None,
        rescan: bool = False,
    ) -> InputStream:
        """Open ``device``, at ``rate`` if possible, and pass each block to ``callback``.

        Raises:
            DeviceError: it cannot be opened.
        """


def input_devices() -> list[InputDevice]:
    """Every input device, in PortAudio's order.

    Raises:
        NoMicrophoneError: PortAudio is missing.
    """
    sd = portaudio()
    with _one_at_a_time:
        default = sd.default.device[0]
        hosts = sd.query_hostapis()
        entries = sd.query_devices()
        default_host = sd.default.hostapi
    return [
        InputDevice(
            index=index,
            name=entry["name"],
            host=hosts[entry["hostapi"]]["name"],
            channels=entry["max_input_channels"],
            default_rate=round(entry["default_samplerate"]),
            is_default=index == default or index == hosts[default_host]["default_input_device"],
            in_default_host=entry["hostapi"] == default_host,
        )
        for index, entry in enumerate(entries)
        if entry["max_input_channels"] > 0
    ]


def find_device(wanted: int | str | None = None) -> InputDevice:
    """Find a device by its index or part of its name, ignoring case; None is the default one.

    If several devices match, an exact match and one of the default audio system are preferred:
    Windows lists every microphone once for each audio system.

    Raises:
        NoMicrophoneError: there is no input device, or no PortAudio.
        DeviceError: no device matches, or several do; the hint lists them.
    """
    devices = input_devices()
    if not devices:
        raise NoMicrophoneError(
            "no microphone was found",
            "plug one in, or replay a recording: `replay(FILE)`",
        )
    if wanted is None:
        return next((d for d in devices if d.is_default), devices[0])
    text = str(wanted).strip()
    if text.isdecimal():
        by_index = [d for d in devices if d.index == int(text)]
        if by_index:
            return by_index[0]
    matches = [d for d in devices if text.casefold() in f"{d.name}, {d.host}".casefold()]
    exact = [d for d in matches if text.casefold() == d.name.casefold()]
    for candidates in (exact, matches):
        at_home = [d for d in candidates if d.in_default_host]
        for choice in (candidates, at_home):
            if len(choice) == 1:
                return choice[0]
    if not matches:
        raise DeviceError(f"no input device {text!r}", f"there are: {_names(devices)}")
    raise DeviceError(
        f"{text!r} is a part of {len(matches)} device names", f"which one: {_names(matches)}"
    )


def accepted_rates(
    device: InputDevice, rates: Iterable[int] = COMMON_RATES, channels: int = 1
) -> list[int]:
    """The sample rates at which a device can be opened."""
    return [rate for rate in rates if _refusal(device, rate, channels) is None]


def open_input(
    device: int | str | None,
    rate: int,
    channels: int | None,
    callback: Callback,
    *,
    channel: int | None = None,
    rescan: bool = False,
) -> InputStream:
    """Open a device at ``rate``, or at another rate that it supports.

    Args:
        device: index, part of a name, or None for the default one.
        rate: preferred sample rate in Hz.
        channels: number of channels to record; None for two, if the device has them, or for as
            many as ``channel`` needs. A sound server that is asked for fewer channels than there
            are mixes them, and channels out of phase become silence.
        callback: called from PortAudio's thread with a block, float32 ``[n, channels]``, which it
            must copy; its times; and whether sound was lost before it.
        channel: the channel to use, from 1; None for the mean.
        rescan: search for devices again first. As this ends every stream of the process, it is not
            done while another one is open.

    Raises:
        DeviceError: there is no such device, or it cannot be opened.
    """
    sd = portaudio()
    with _one_at_a_time:
        if rescan and not _open_streams:
            sd._terminate()  # the list of devices is made at the start
            sd._initialize()
        chosen = find_device(device)
        rate, channels = _choose_format(chosen, rate, channels, channel)

        try:
            stream = sd.InputStream(
                device=chosen.index,
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=max(1, round(rate * BLOCK_SECONDS)),
                callback=_relay(callback),
            )
            stream.start()
        except sd.PortAudioError as error:
            raise _cannot_open(chosen, error) from error
        _open_streams.add(id(stream))
    return _PortAudioStream(chosen.name, rate, channels, stream)


def _relay(callback: Callback) -> Callable[[Interleaved, int, Any, Any], None]:
    """The callback for PortAudio, which converts its times to the host's clock."""

    def relay(indata: Interleaved, _frames: int, time: Any, status: Any) -> None:
        arrived = host_clock()
        age = time.currentTime - time.inputBufferAdcTime
        callback(indata, Times(arrived - age, arrived), bool(status.input_overflow))

    return relay


def portaudio() -> Any:
    """Import ``sounddevice``.

    Raises:
        NoMicrophoneError: PortAudio is missing; the hint says how to install it.
    """
    try:
        import sounddevice
    except OSError as error:
        raise NoMicrophoneError(
            "PortAudio, which microphones are read with, is not installed", portaudio_hint()
        ) from error
    return sounddevice


def portaudio_hint(platform: str = sys.platform) -> str:
    """How to install PortAudio."""
    if platform.startswith("linux"):
        return (
            f"Debian, Ubuntu: {as_root('apt install libportaudio2')}; "
            f"Fedora: {as_root('dnf install portaudio')}; "
            f"Arch: {as_root('pacman -S portaudio')}"
        )
    if platform == "darwin":
        return "python -m pip install --force-reinstall sounddevice, or: brew install portaudio"
    return "python -m pip install --force-reinstall sounddevice (it brings PortAudio along)"


@dataclass(frozen=True)
class _PortAudioStream:
    name: str
    rate: int
    channels: int
    stream: Any

    def close(self) -> None:
        # In a thread: a sound server may hang.
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _close(self) -> None:
        # Abort rather than stop, which would wait for buffers that a lost device never fills.
        self.stream.abort(ignore_errors=True)
        with _one_at_a_time:
            self.stream.close(ignore_errors=True)
            _open_streams.discard(id(self.stream))


def _choose_format(
    device: InputDevice, rate: int, channels: int | None, channel: int | None
) -> tuple[int, int]:
    """The sample rate and number of channels to open a device with."""
    if channels is not None and channels > device.channels:
        raise DeviceError(
            f"{device.name} has {counted(device.channels, 'channel')}, not {channels}",
            f"`channels={device.channels}`, or leave it out",
        )
    if channel is not None and channel > device.channels:
        raise DeviceError(
            f"{device.name} has {counted(device.channels, 'channel')}, and no channel {channel}",
            f"`channel={device.channels}`, or a smaller one",
        )
    counts = [channels] if channels else _channel_counts(device.channels, channel)
    rates = dict.fromkeys([rate, device.default_rate, 48000, 44100, 16000, *COMMON_RATES])
    refusal: Exception | None = None
    for count in counts:
        for candidate in rates:
            error = _refusal(device, candidate, count)
            if error is None:
                return candidate, count
            refusal = refusal or error
    assert refusal is not None
    raise _cannot_open(device, refusal) from refusal


def _channel_counts(there: int, channel: int | None) -> list[int]:
    """Numbers of channels to try, in order of preference."""
    least = channel or 1
    counts = [min(there, max(2, least)), *range(least, min(there, max(8, least)) + 1)]
    if channel is not None and there < _SERVER_CHANNELS:
        counts.insert(0, there)
    return list(dict.fromkeys(counts))


def _refusal(device: InputDevice, rate: int, channels: int) -> Exception | None:
    sd = portaudio()
    try:
        with _one_at_a_time:
            sd.check_input_settings(
                device=device.index, samplerate=rate, channels=channels, dtype="float32"
            )
    except sd.PortAudioError as error:
        return error  # type: ignore[no-any-return]
    return None


_INVALID_RATE, _UNAVAILABLE, _TIMED_OUT = -9997, -9985, -9987


def _cannot_open(device: InputDevice, error: Exception) -> DeviceError:
    code = error.args[1] if len(error.args) > 1 else None
    what = str(error.args[0]).split(" [")[0].rstrip(".:") if error.args else "no reason given"
    if len(error.args) > 2 and isinstance(error.args[2], tuple):
        what = str(error.args[2][-1])  # the message of the audio system
    if code == _UNAVAILABLE:
        hint = "close the program that is using it, or take another one: live-ser devices"
    elif code == _INVALID_RATE:
        # This is also the error if the system denies access to the microphone.
        hint = "allow the terminal to use the microphone in the system's privacy settings"
    else:
        hint = "take another one (live-ser devices), or check it with live-ser doctor"
    return DeviceError(f"cannot open {device.name}: {what}", hint)


def _names(devices: list[InputDevice]) -> str:
    return "; ".join(f"{d.index} {d.name} ({d.host})" for d in devices)
