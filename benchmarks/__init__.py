"""What live-ser costs, measured beside what people would use instead: ``python -m benchmarks``."""
