"""The published corpora, by how they name their files."""

from __future__ import annotations

from collections.abc import Mapping

from training.corpora.clips import Gender
from training.corpora.reader import Reader


def _odd_male(actors: int) -> dict[str, Gender]:
    return {f"{actor:02}": "m" if actor % 2 else "f" for actor in range(1, actors + 1)}


def _genders(*, f: str = "", m: str = "") -> dict[str, Gender]:
    return {**dict.fromkeys(f.split(), "f"), **dict.fromkeys(m.split(), "m")}


_BURSTS = {
    "02": "happy",  # amusement: mostly laughter
    "03": "angry",
    "10": "disgust",
    "13": "happy",  # elation
    "15": "fearful",
    "18": "neutral",
    "24": "sad",
    "27": "surprised",  # unpleasantly
    "28": "surprised",  # pleasantly
}

_PUBLISHED = (
    Reader(
        name="ravdess",
        title="RAVDESS",
        pattern=r"03-(?P<channel>0[12])-(?P<emotion>\d\d)-(?P<intensity>0[12])-(?P<statement>0[12])"
        r"-0[12]-(?P<speaker>0[1-9]|1\d|2[0-4])",
        example="Actor_12/03-01-06-01-02-01-12.wav",
        emotions={
            "01": "neutral",
            "02": "calm",
            "03": "happy",
            "04": "sad",
            "05": "angry",
            "06": "fearful",
            "07": "disgust",
            "08": "surprised",
        },
        genders=_odd_male(24),
    ),
    Reader(
        name="nemo",
        title="nEMO",
        pattern=r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_\d+",
        example="samples/WR0_surprised_64.wav",
        emotions={
            "anger": "angry",
            "fear": "fearful",
            "happiness": "happy",
            "neutral": "neutral",
            "sadness": "sad",
            "surprised": "surprised",
        },
        genders=_genders(f="EB0 IC0 KD0 MK0", m="KS0 MP0 SM0 TP0 WR0"),
    ),
    Reader(
        name="emodb",
        title="EMO-DB",
        open=True,
        pattern=r"(?P<speaker>\d\d)(?P<statement>[ab]\d\d)(?P<emotion>[A-Z])[a-z]",
        example="wav/03a01Fa.wav",
        emotions={
            "W": "angry",
            "L": "bored",
            "E": "disgust",
            "A": "fearful",
            "F": "happy",
            "T": "sad",
            "N": "neutral",
        },
        genders=_genders(f="08 09 13 14 16", m="03 10 11 12 15"),
    ),
    Reader(
        name="banglaser",
        title="BanglaSER",
        open=True,
        # Three recordings have the modality of video in their names, though they are audio only.
        pattern=r"0[13]-01-(?P<emotion>\d\d)-(?P<intensity>0[12])-(?P<statement>0[1-3])-0[1-3]"
        r"-(?P<speaker>0[1-9]|[12]\d|3[0-4])",
        example="03-01-03-02-01-01-07.wav",
        emotions={"01": "happy", "02": "sad", "03": "angry", "04": "surprised", "05": "neutral"},
        genders=_odd_male(34),
    ),
    Reader(
        name="tess",
        title="TESS",
        # One published file says OA for OAF.
        pattern=r"(?P<speaker>OA|YA)F?_(?P<statement>[a-z]+)_(?P<emotion>[a-z]+)",
        example="OAF_back_angry.wav",
        emotions={
            "angry": "angry",
            "disgust": "disgust",
            "fear": "fearful",
            "happy": "happy",
            "neutral": "neutral",
            "ps": "surprised",
            "sad": "sad",
        },
        genders=_genders(f="OA YA"),
        folders=("TESS Toronto emotional speech set data",),
    ),
    Reader(
        name="emovo",
        title="EMOVO",
        pattern=r"(?P<emotion>[a-z]{3})-(?P<speaker>[fm][1-3])-(?P<statement>[a-z]\d)",
        example="f1/dis-f1-b1.wav",
        emotions={
            "dis": "disgust",
            "gio": "happy",
            "neu": "neutral",
            "pau": "fearful",
            "rab": "angry",
            "sor": "surprised",
            "tri": "sad",
        },
        genders=_genders(f="f1 f2 f3", m="m1 m2 m3"),
    ),
    Reader(
        name="cremad",
        title="CREMA-D",
        # One published file ends in a single X.
        pattern=r"(?P<speaker>1\d{3})_(?P<statement>[A-Z]{3})_(?P<emotion>[A-Z]{3})"
        r"_(?P<intensity>LO|MD|HI|XX?)",
        example="AudioWAV/1001_DFA_ANG_XX.wav",
        emotions={
            "ANG": "angry",
            "DIS": "disgust",
            "FEA": "fearful",
            "HAP": "happy",
            "NEU": "neutral",
            "SAD": "sad",
        },
    ),
    Reader(
        name="savee",
        title="SAVEE",
        # Published with a folder per speaker; often met flat, the speaker in front of the name.
        pattern=r"(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>[a-z]{1,2})(?P<statement>\d\d)",
        example="AudioData/DC/a01.wav",
        emotions={
            "a": "angry",
            "d": "disgust",
            "f": "fearful",
            "h": "happy",
            "n": "neutral",
            "sa": "sad",
            "su": "surprised",
        },
        genders=_genders(m="DC JE JK KL"),
    ),
    Reader(
        name="cafe",
        title="CaFE",
        # Neutral has no intensity: 01-N-1.
        pattern=r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[A-Z])(?:-(?P<intensity>[12]))?"
        r"-(?P<statement>[1-6])",
        example="01-C-1-1.wav",
        emotions={
            "C": "angry",
            "D": "disgust",
            "J": "happy",
            "N": "neutral",
            "P": "fearful",
            "S": "surprised",
            "T": "sad",
        },
    ),
    Reader(
        name="emospeech",
        title="Indian EmoSpeech Command",
        pattern=r"(?P<statement>[a-z]+)-[a-z ]+-(?P<emotion>[a-z]+)-\d+-(?P<speaker>[0-9a-f]{40,})",
        example=f"House/help-safe-calm-20190709085906-{'0123abcd' * 7}.wav",
        emotions={"angry": "angry", "calm": "calm", "fearful": "fearful", "happy": "happy"},
        folders=("emospeech-dataset-v1",),
        # According to the archive, the speaker with this id is unknown. Recordings without a
        # keyword contain no speech.
        excluded=("^background-|-None-|-d14a028c[0-9a-f]*$", "nobody speaks, or nobody knows who"),
    ),
    Reader(
        name="emogator",
        title="EmoGator",
        open=True,
        pattern=r"(?P<speaker>\d{6})-(?P<emotion>\d\d)-[1-3]",
        example="data/mp3/000123-15-2.mp3",
        emotions=_BURSTS,
        excluded=(
            rf"^\d{{6}}-(?!{'|'.join(_BURSTS)})[0-2]\d-",
            "none of the emotions that are learnt",
        ),
    ),
)

READERS: Mapping[str, Reader] = {reader.name: reader for reader in _PUBLISHED}
"""The reader of each published corpus, by its name."""
