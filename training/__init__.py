"""The offline side of live-ser: corpora, features, networks, figures. Runs from a checkout."""

import os

from live_ser.extras import keep_nothing

# TensorFlow tells of its compiler flags at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
keep_nothing("KERAS_HOME", "MPLCONFIGDIR")
