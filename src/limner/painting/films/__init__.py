"""Clips, and films of paintings: read, painted from picture to picture, written."""
