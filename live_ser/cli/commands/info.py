"""``live-ser info``: show the metadata of a model."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from live_ser.cli.options import CommonOptions
from live_ser.model.onnx_model import load
from live_ser.records.tables import model_card, show


@dataclass(frozen=True)
class Options(CommonOptions):
    """The options of ``live-ser info``."""

    name: str | None
    model: str | None
    all: bool
    format: Literal["table", "jsonl"] | None


def run(options: Options) -> int:
    """Print a model's card, or its metadata as JSON."""
    model = load(options.model if options.name is None else options.name)
    if options.format == "jsonl":
        print(model.info.to_json())
    else:
        show(sys.stdout, model_card(model.info, model.path, whole=options.all))
    return 0
