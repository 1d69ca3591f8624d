"""Results as records, and the files that they are written to. Imports from ``inference``."""
