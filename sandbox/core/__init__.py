"""The calls themselves: pure, with time and randomness given; no I/O, no event loop, no clock."""
