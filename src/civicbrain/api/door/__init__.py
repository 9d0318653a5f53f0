"""Who comes in, how they log in, what they may do and how much they may send."""
