"""Every figure of the thesis made again: what it trains, what it claims, what decides the claim, and its picture."""
