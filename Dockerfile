# live-ser in a container, without root; docs/container.md says how to use a microphone.
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
COPY . /source
RUN python3 -m venv /opt/live-ser && /opt/live-ser/bin/pip install --no-cache-dir '/source[serve]'

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 libportaudio2 libpulse0 \
    # PortAudio reaches the host's PulseAudio or PipeWire through a plugin of ALSA. Its package is
    # unpacked rather than installed: the other plugins in it need 300 MB of video codecs.
    && cd /tmp \
    && apt-get download libasound2-plugins \
    && dpkg --extract libasound2-plugins_*.deb plugins \
    && (cd plugins && cp --parents usr/lib/*/alsa-lib/libasound_module_*_pulse.so /) \
    && rm -rf plugins libasound2-plugins_*.deb /var/lib/apt/lists/* \
    && printf '%s.!default { type pulse }\n' pcm ctl >/etc/asound.conf \
    && useradd --create-home --uid 1000 live-ser
COPY --from=build /opt/live-ser /opt/live-ser
ENV PATH=/opt/live-ser/bin:$PATH PYTHONUNBUFFERED=1
USER live-ser
WORKDIR /home/live-ser
ENTRYPOINT ["live-ser"]
CMD ["listen"]
