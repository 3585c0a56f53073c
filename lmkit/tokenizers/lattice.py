"""All ways to cut a word into pieces, as edges from one place in it to a later one: the best way, and their sum.

An edge is (start, end, id, score), the score a log-probability. A list of edges is in the order of their starts, and
each place can be reached: from every place there is an edge of one character.
"""

import math


def best(edges, n):
    """The path from 0 to n with the highest score (Viterbi 1967), as edges; of equals, that with longer last edges."""
    scores, back = [0.0] + [-math.inf] * n, [None] * (n + 1)
    for edge in edges:
        start, end, _, score = edge
        score += scores[start]
        if back[end] is None or score > scores[end]:
            scores[end], back[end] = score, edge
    return walk(back, n)


def walk(back, n):
    """The path that ends at n, where back[end] is the edge by which it comes to `end`."""
    path = []
    while n:
        path.append(back[n])
        n = back[n][0]
    return path[::-1]


def forward(edges, n):
    """For each place, the log of the summed probability of all paths from 0 to it."""
    sums = [0.0] + [-math.inf] * n
    for start, end, _, score in edges:
        sums[end] = add_logs(sums[end], sums[start] + score)
    return sums


def add_logs(a, b):
    """log(exp(a) + exp(b)), b finite, without overflow."""
    low, high = sorted((a, b))
    return high + math.log1p(math.exp(low - high))


def draw(edges, n, alpha, random):
    """One path, drawn with probability proportional to exp(score) ** alpha: forward filtering, backward sampling."""
    edges = [(start, end, i, alpha * score) for start, end, i, score in edges]
    sums, arriving = forward(edges, n), [[] for _ in range(n + 1)]
    for edge in edges:
        arriving[edge[1]].append(edge)
    back, place = [None] * (n + 1), n
    while place:
        weights = [math.exp(sums[start] + score - sums[place]) for start, _, _, score in arriving[place]]
        (back[place],) = random.choices(arriving[place], weights)
        place = back[place][0]
    return walk(back, n)
