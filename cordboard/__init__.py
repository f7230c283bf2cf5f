"""What every part of Cordboard imports: the contract, the catalogue, the log, settings, the client."""
