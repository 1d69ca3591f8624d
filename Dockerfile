# live-ser in a container, without root; docs/container.md says how it hears a microphone.
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
COPY . /source
RUN python3 -m venv /opt/live-ser && /opt/live-ser/bin/pip install --no-cache-dir '/source[serve]'

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 libportaudio2 libasound2-plugins \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 live-ser \
    # PortAudio reaches the host's PulseAudio or PipeWire through ALSA.
    && printf 'pcm.!default pulse\nctl.!default pulse\n' >/etc/asound.conf
COPY --from=build /opt/live-ser /opt/live-ser
ENV PATH=/opt/live-ser/bin:$PATH PYTHONUNBUFFERED=1
USER live-ser
WORKDIR /home/live-ser
ENTRYPOINT ["live-ser"]
CMD ["listen"]
