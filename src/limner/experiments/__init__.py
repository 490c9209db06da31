"""Experiments: data, model and training settings together, by name; and the folders of their runs."""
