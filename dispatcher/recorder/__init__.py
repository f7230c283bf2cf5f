"""The recorder: what happened, in tables by call and time, for whoever asks later. Losing it loses no promise."""
