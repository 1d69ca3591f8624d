"""Sessions and recordings as pages and pictures. Imports from ``records``."""
