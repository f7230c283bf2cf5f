"""The whole of Cordboard in virtual time: the product's own code on simulated log, clock, network and Telnyx.

One seed makes one history: what is asked, what goes wrong, and every delay. `python -m simulation` runs many of them,
and holds each against the promises (checker.py).
"""
