"""The hands: carry released requests to Telnyx and report what became of them."""
