"""``live-ser info``: what a model says of itself."""

from __future__ import annotations

import sys
from argparse import Namespace

from live_ser.model.onnx_model import load
from live_ser.records.tables import model_card, show


def run(arguments: Namespace) -> int:
    """Print a model's card, or its metadata as JSON."""
    model = load(arguments.model)
    if arguments.format == "jsonl":
        print(model.info.to_json())
    else:
        show(sys.stdout, model_card(model.info, model.path, whole=arguments.all))
    return 0
