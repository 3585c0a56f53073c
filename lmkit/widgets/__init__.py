"""Pictures that answer when touched, in the static book and with a live kernel."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention
from .explore_tokens import explore_tokens
from .next_word import NextWord, next_word
from .token_steps import TokenSteps, token_steps

__all__ = [
    "AttentionMap", "NextWord", "TokenSteps", "attention_map", "explore_attention", "explore_tokens", "next_word",
    "token_steps",
]  # fmt: skip
