"""The public classes and functions of ``import live_ser``. Imports from ``live`` and ``batch``."""
