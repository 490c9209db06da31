"""Where stamps lie with several samples a pixel: pixels, from the rows of samples that they hold."""

from limner.kernels.jit import inlined


@inlined
def join_samples(stamps, samples, width, fine, flat, reach, layout):
    """Fill the layout of stamps from their rows of samples, and turn reach from these into rows of pixels."""
    (b0, b1, t0, t1), number = stamps, 0
    for b in range(b0, b1):
        for t in range(t0, t1):
            for k in range(reach.shape[1]):
                own = reach[b, k, t]
                own[0], own[1] = whole_pixels(samples, own[0], own[1], width, b, t, fine, flat[number], layout)
            number += 1


@inlined
def whole_pixels(samples, j0, j1, width, b, t, fine, flat, layout):
    """Fill the layout of the pixels that hold rows of samples j0 to j1; returns the first and past-last of their rows.

    The flat run of a row of pixels is where all their samples are.  flat (2, row): first and past-last flat sample.
    """
    if j0 >= j1:
        return 0, 0
    first_row, end_row = j0 // samples, (j1 - 1) // samples + 1
    for j in range(samples * first_row, j0):
        fine[b, t, :, j], flat[1, j] = 0, 0
    for j in range(j1, samples * end_row):
        fine[b, t, :, j], flat[1, j] = 0, 0
    for r in range(first_row, end_row):
        first, start, stop, last = samples * width, 0, samples * width, 0
        for j in range(samples * r, samples * (r + 1)):
            if fine[b, t, 0, j] < fine[b, t, 3, j]:
                first, last = min(first, fine[b, t, 0, j]), max(last, fine[b, t, 3, j])
            start, stop = max(start, flat[0, j]), min(stop, flat[1, j])
        first, last = first // samples, (last + samples - 1) // samples
        start, stop = (start + samples - 1) // samples, stop // samples
        if first >= last:
            first, start, stop, last = 0, 0, 0, 0
        elif start >= stop:
            start, stop = last, last
        layout[b, t, 0, r], layout[b, t, 1, r], layout[b, t, 2, r], layout[b, t, 3, r] = first, start, stop, last
    return first_row, end_row
