"""The commands, a file each: ``run`` does what its ``Options`` ask for and gives the exit code."""
