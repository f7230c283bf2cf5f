"""The command line: everything in one process to try it out, a demonstration, and a hand at the dispatcher's door."""
