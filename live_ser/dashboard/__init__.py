"""The terminal dashboard. Imports from ``live``."""
