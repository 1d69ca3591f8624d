"""What live-ser costs, measured beside what people would use instead: ``python -m benchmarks``."""

from live_ser.extras import keep_nothing

keep_nothing("KERAS_HOME", "MPLCONFIGDIR")
