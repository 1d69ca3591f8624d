"""Results as records, and their file formats. Imports from ``inference``."""
