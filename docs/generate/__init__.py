"""Makes docs/metrics.md and docs/errors.md from the code and the contract, so that they cannot be out of date."""
