"""The pure heart of the workers: what an answer means, when to try again, how fast to go."""
