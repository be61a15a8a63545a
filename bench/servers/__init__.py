"""The servers of a run: child processes on loopback that end with the run, whatever ends it."""
