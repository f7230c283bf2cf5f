"""The pure heart of the dispatcher: no await, no clock, no I/O."""
