"""The commands, a file each: ``run`` does what was asked for and gives the exit code."""
