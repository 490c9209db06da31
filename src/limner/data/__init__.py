"""Data sets: synthetic shapes with ground truth, and the thesis' real images, all held as ink: 1 is black, 0 paper."""
