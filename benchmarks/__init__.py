"""The speed and memory of live-ser and of alternatives: ``python -m benchmarks``."""

from live_ser.system.temporary import keep_nothing

keep_nothing("KERAS_HOME", "MPLCONFIGDIR")
