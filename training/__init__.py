"""The offline side of live-ser: corpora, features, networks, figures. Runs from a checkout."""

import os

# TensorFlow tells of its compiler flags at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
