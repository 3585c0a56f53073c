"""Pictures of attention, tokens and neurons that answer when touched: in the static book, and with a live kernel."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention
from .explore_tokens import explore_tokens
from .neurons import Neurons, neurons
from .token_steps import TokenSteps, token_steps

__all__ = [
    "AttentionMap", "Neurons", "TokenSteps", "attention_map", "explore_attention", "explore_tokens", "neurons",
    "token_steps",
]  # fmt: skip
