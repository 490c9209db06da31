"""Fitting strokes to a picture: proposing, stepping, dropping and moving them."""
