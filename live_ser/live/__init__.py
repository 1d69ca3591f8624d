"""A live session: its sinks, keys and signals. Imports from ``records``."""
