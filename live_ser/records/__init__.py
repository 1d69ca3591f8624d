"""Results as records, and the file formats that hold them. Imports from ``inference``."""
