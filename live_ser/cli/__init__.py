"""The command line. Imports from every room; no room imports it."""
