"""Choices, word by word: the distribution of the next word when several phrases are equally likely."""

from functools import lru_cache
from math import log


@lru_cache(maxsize=4096)
def trie(phrases):
    """Arrange equally likely phrases by their words.

    A node is None after the last word of a phrase, else (words, cumulative probabilities, log-probabilities in nats,
    entropy in nats, next nodes): the distribution of the next word, marginalised over the phrases still possible.
    """
    if phrases == ((),):
        return None
    if () in phrases or len(set(phrases)) < len(phrases):
        raise ValueError(f"the phrases {phrases} are not distinct, or one begins another; words cannot tell them apart")
    groups = {}
    for first, *rest in phrases:
        groups.setdefault(first, []).append(tuple(rest))
    counts = [len(group) for group in groups.values()]
    total = len(phrases)
    cumulative = [sum(counts[: i + 1]) / total for i in range(len(counts))]
    logprobs = [log(c / total) for c in counts]
    entropy = -sum(c / total * p for c, p in zip(counts, logprobs, strict=True))
    return tuple(groups), cumulative, logprobs, entropy, [trie(tuple(group)) for group in groups.values()]
