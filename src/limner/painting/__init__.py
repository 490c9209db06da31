"""Painting a picture with strokes: reading it, fitting the strokes, and writing what was painted."""
