"""Training and evaluation of models, from a checkout; not part of the installed package."""

import os

from live_ser.system.temporary import keep_nothing

# TensorFlow reports its compiler flags at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
keep_nothing("KERAS_HOME", "MPLCONFIGDIR")
