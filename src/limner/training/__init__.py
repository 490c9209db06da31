"""Training: one loop, its checkpoints and pictures, and the metrics of trained models."""
