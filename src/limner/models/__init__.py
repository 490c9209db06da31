"""The thesis' models: every one maps images to an Output of canvas, strokes and losses."""
