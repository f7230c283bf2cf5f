"""What the whole loop costs, measured beside the official SDK that calls the same sandbox directly."""
