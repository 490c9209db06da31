"""A step of Adam on all strokes together, as a kernel: torch would take longer for it than for painting them.

Free numbers, and all that belongs to them, come as arrays (stroke, number), and (1, number) for the ground, of no
numbers where there are none: where (Phi, row by row), what, logit, slope (x and y of each channel), ground. The running
means for where are those for steps (width, height, turn, slant, x, y) in the stamp's own frame, see `moves`.
size: (height, width) of the canvas.  bounds: least and largest half size of what is brush of a stamp, in pixels, and
both of where it is thinnest.
reach: of each stroke, how far its brush reaches in its template's box, of 1 across and down.
kept: whether stamps stay as wide as they are high, whether they stay upright, and whether they keep their angles.
"""

import math

from limner.kernels.jit import inlined, kernel

MOMENTS = (0.9, 0.99)
FAINT, SOLID = -3.0, 7.0
"""Bounds of the opacity's logit; with the second less than half a step of 8 bits shows through."""
BROADEST = 4.0
"""Most half width and height of a template's box, of the canvas' longer side."""
LEAST = 1e-150
"""To divide by in place of zero."""
MOST_OFF = 1 - 1e-6
"""Largest cosine of the angle of a stamp's axes that is brought to a right angle in one go."""


@kernel
def step(values, pulls, first, second, age, steps, rates, size, bounds, kept, reach):
    """Move all values against `pulls`, the gradients to them, which are used up, and bring them into their ranges.

    first, second: running means of the gradients and of their squares.  age: steps that each stroke has taken, now one
    more.  steps: taken by the ground, this one included.  rates: of where, what, logit, slope, ground.
    """
    where, what, logit, slope, ground = values
    for k in range(len(where)):
        age[k] += 1
        pace = pace_of(age[k])
        if pulls[0].shape[1] > 0:
            travel(where[k], pulls[0][k], first[0], second[0], k, rates[0] * pace, size, kept, reach[k])
        follow(what, pulls[1], first[1], second[1], k, rates[1] * pace)
        follow(logit, pulls[2], first[2], second[2], k, rates[2] * pace)
        follow(slope, pulls[3], first[3], second[3], k, rates[3] * pace)
        hold_stroke(k, where, what, logit, slope, size, bounds, kept, reach)
    if pulls[4].shape[1] > 0:
        for k in range(len(ground)):
            follow(ground, pulls[4], first[4], second[4], k, rates[4] * pace_of(steps))
            hold_colours(ground, k)


@kernel
def hold(values, size, bounds, kept, reach):
    """Bring all values of strokes into their ranges."""
    where, what, logit, slope, _ = values
    for k in range(len(where)):
        hold_stroke(k, where, what, logit, slope, size, bounds, kept, reach)


@inlined
def pace_of(age):
    """By how much Adam's first steps are longer, since its running means begin at zero."""
    beta1, beta2 = MOMENTS
    return math.sqrt(1 - beta2**age) / (1 - beta1**age)


@inlined
def follow(value, pull, first, second, k, rate):
    """Adam's step of one row."""
    for m in range(pull.shape[1]):
        value[k, m] += change(pull[k, m], first, second, k, m, rate)


@inlined
def travel(phi, pull, first, second, k, rate, size, kept, reach):
    """Adam's step of a stamp, in its own frame: no part of the brush moves by much more than `rate` of its size there.

    A turn or a slant moves the ends of a thin brush by many times its breadth: it is divided by how thin the brush is.
    """
    frame = frame_of(phi, size)
    _, across, down, _ = frame
    wide, high = reach[0], reach[1]
    thin = max(across * high / wide, down * wide / high)
    into_own_frame(phi, pull, frame)
    if kept[1]:
        pull[2] = 0.0
    if kept[2]:
        pull[3] = 0.0
    for m in range(6):
        pull[m] = change(pull[m], first, second, k, m, rate)
    pull[2] /= thin
    pull[3] /= thin
    pull[4] *= wide
    pull[5] *= high
    move(phi, pull, frame)


@inlined
def change(pull, first, second, k, m, rate):
    """What a number is to change by; its gradient goes into the running means."""
    beta1, beta2 = MOMENTS
    first[k, m] += (1 - beta1) * (pull - first[k, m])
    second[k, m] += (1 - beta2) * (pull * pull - second[k, m])
    return -rate * first[k, m] / (math.sqrt(second[k, m]) + 1e-12)


@inlined
def frame_of(phi, size):
    """How a stamp turns and slants, as seen from its template: (lean, across, down, aspect).

    A quarter turn J of M, which is Phi for pixels, is M J M^-1 = [[-lean, across], [-down, lean]] there, and a slant
    [[0, 1 / aspect], [aspect, 0]]. Where axes are at right angles lean is 0, and aspect half width by half height.
    """
    height, width = size
    a, b, c, d = phi[0] * height, phi[1] * width, phi[3] * height, phi[4] * width
    narrow, low = a * a + b * b, c * c + d * d
    area = max(abs(a * d - b * c), LEAST)
    return (a * c + b * d) / area, narrow / area, low / area, math.sqrt(low / max(narrow, LEAST))


@inlined
def into_own_frame(phi, pull, frame):
    """The gradient to a step (width, height, turn, slant, x, y) in the stamp's own frame, in place of that to Phi."""
    lean, across, down, aspect = frame
    width = pull[0] * phi[0] + pull[1] * phi[1] + pull[2] * phi[2]
    height = pull[3] * phi[3] + pull[4] * phi[4] + pull[5] * phi[5]
    right = pull[0] * phi[3] + pull[1] * phi[4] + pull[2] * phi[5]
    left = pull[3] * phi[0] + pull[4] * phi[1] + pull[5] * phi[2]
    x, y = -pull[2], -pull[5]
    pull[0], pull[1], pull[4], pull[5] = -width, -height, x, y
    pull[2] = lean * (height - width) + across * right - down * left
    pull[3] = right / aspect + left * aspect


@inlined
def move(phi, step, frame):
    """Take a step (width, height, turn, slant, x, y) in the stamp's own frame."""
    lean, across, down, aspect = frame
    width, height, turn, slant, x, y = step[0], step[1], step[2], step[3], step[4], step[5]
    cos, sin, narrow, low = math.cos(turn), math.sin(turn), math.exp(-width), math.exp(-height)
    straight, slanted = math.cosh(slant), math.sinh(slant)
    phi[2] -= x
    phi[5] -= y
    for m in range(3):
        u, v = phi[m], phi[m + 3]
        u, v = cos * u + sin * (across * v - lean * u), cos * v + sin * (lean * v - down * u)
        phi[m] = narrow * (straight * u + slanted / aspect * v)
        phi[m + 3] = low * (straight * v + slanted * aspect * u)


@inlined
def hold_stroke(k, where, what, logit, slope, size, bounds, kept, reach):
    hold_colours(what, k)
    for m in range(logit.shape[1]):
        logit[k, m] = min(max(logit[k, m], FAINT), SOLID)
    if slope.shape[1] > 0:
        hold_slope(what[k], slope[k])
    if kept[2] and not kept[0]:
        hold_angles(where[k], size)
    hold_box(where[k], size)
    hold_size(where[k], size, bounds, kept[0], reach[k])


@inlined
def hold_angles(phi, size):
    """Bring the axes of a stamp to right angles, by the slant that does so (`move`).

    They are not where strokes were worked on at other proportions, as on a canvas of half the size, in whole pixels.
    """
    height, width = size
    a, b, c, d = phi[0] * height, phi[1] * width, phi[3] * height, phi[4] * width
    narrow, low = max(math.hypot(a, b), LEAST), max(math.hypot(c, d), LEAST)
    slant = -0.5 * math.atanh(min(max((a * c + b * d) / (narrow * low), -MOST_OFF), MOST_OFF))
    straight, slanted, aspect = math.cosh(slant), math.sinh(slant), low / narrow
    for m in range(3):
        u, v = phi[m], phi[m + 3]
        phi[m], phi[m + 3] = straight * u + slanted / aspect * v, straight * v + slanted * aspect * u


@inlined
def hold_box(phi, size):
    """Bring half width and height of a template's box below `BROADEST`.

    Texels of a larger one blur its edges in a picture, which a fit makes use of, and not in an SVG.
    """
    height, width = size
    most = BROADEST * max(height, width)
    for m in (0, 3):
        grow = max(1.0 / (most * max(math.hypot(phi[m] * 2.0 / width, phi[m + 1] * 2.0 / height), LEAST)), 1.0)
        phi[m], phi[m + 1], phi[m + 2] = grow * phi[m], grow * phi[m + 1], grow * phi[m + 2]


@inlined
def hold_size(phi, size, bounds, round, reach):
    """Bring the smallest and the largest half size of a stamp's brush, whatever their directions, into their bounds.

    A brush that reaches less far than its template's box is as one whose box is so much smaller. Where proportions are
    kept it is at least as large as it should be at its thinnest, unless it would be too long then.

    These are one by the singular values of M, which is Phi for pixels. What is multiplied by a symmetric matrix with
    the eigenvectors of M M^T keeps its directions and, as it multiplies all of Phi, its centre.
    """
    (height, width), (least, most, thinnest, thickest) = size, bounds
    wide, high = reach[0], reach[1]
    if round:
        most = most / max(wide, high)
        least, wide, high = min(least / min(wide, high), most), 1.0, 1.0
    across, down = 2.0 / width, 2.0 / height
    a, b, c, d = phi[0] * across / wide, phi[1] * down / wide, phi[3] * across / high, phi[4] * down / high
    p, q = a * a + b * b - c * c - d * d, 2.0 * (a * c + b * d)
    apart = math.hypot(p, q)
    fine = max(math.sqrt(0.5 * (a * a + b * b + c * c + d * d + apart)), LEAST)
    coarse = max(abs(a * d - b * c) / fine, 1e-9 * fine)
    new_coarse = min(max(coarse, 1.0 / most), 1.0 / least)
    if round:
        new_fine = min(max(fine, 1.0 / most), 1.0 / least)
        new_fine = new_coarse = math.sqrt(new_fine * new_coarse)
    else:
        new_fine = min(max(fine, 1.0 / thickest), 1.0 / thinnest)
    if new_fine != fine or new_coarse != coarse:
        grow, rise = new_fine / fine, new_coarse / coarse
        mean, half = 0.5 * (grow + rise), 0.5 * (grow - rise) / max(apart, LEAST)
        for m in range(3):
            x, y = phi[m] / wide, phi[m + 3] / high
            x, y = (mean + half * p) * x + half * q * y, half * q * x + (mean - half * p) * y
            phi[m], phi[m + 3] = wide * x, high * y


@inlined
def hold_colours(colours, k):
    for m in range(colours.shape[1]):
        colours[k, m] = min(max(colours[k, m], 0.0), 1.0)


@inlined
def hold_slope(what, slope):
    """The nearest slopes that one linear gradient can fill (rank one) with colours in [0, 1] everywhere."""
    xx, xy, yy = 0.0, 0.0, 0.0
    for c in range(len(what)):
        x, y = slope[2 * c], slope[2 * c + 1]
        xx, xy, yy = xx + x * x, xy + x * y, yy + y * y
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    cos, sin = math.cos(angle), math.sin(angle)
    for c in range(len(what)):
        along = slope[2 * c] * cos + slope[2 * c + 1] * sin
        room = min(what[c], 1 - what[c]) / max(abs(along * cos) + abs(along * sin), 1e-9)
        slope[2 * c], slope[2 * c + 1] = min(room, 1.0) * along * cos, min(room, 1.0) * along * sin
