# SPDX-License-Identifier: MIT
"""Pi from points in a square: the share of them that lies in the circle. The points are functions of their number (Philox), so
that all devices draw the same ones. Usage: monte_carlo_pi.py [device] [size].
"""

import math

from timing import arguments, show_times, verdict

import overtake as ot

EACH = 64  # points of one element
uniform = ot.kernels.uniform


@ot.vectorize
def hits(place):
    """How many of the points of one element lie in the circle."""
    inside = 0
    for point in range(place * EACH, (place + 1) * EACH):
        x, y = uniform(7, 2 * point), uniform(7, 2 * point + 1)
        if x * x + y * y < 1:
            inside += 1
    return inside


def count(places):
    """Of all elements."""
    return ot.sum(hits(places))


device, n = arguments(1 << 22)
places = ot.arange(max(n // EACH, 1))
n = places.size * EACH

inside = int(count(places.to_device(device)))

pi, sigma = 4 * inside / n, 1.65 / math.sqrt(n)
print(f"pi is {pi:.5f} +- {sigma:.5f} by {n} points on {device}")
show_times(device, [places], count)
verdict(inside == int(count(places)) and abs(pi - math.pi) < 5 * sigma)
