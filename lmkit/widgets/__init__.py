"""Pictures of attention and of tokens that answer when touched: in the static book, and with a live kernel."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention
from .explore_tokens import explore_tokens
from .model_map import ModelMap, model_map
from .token_steps import TokenSteps, token_steps

__all__ = [
    "AttentionMap", "ModelMap", "TokenSteps", "attention_map", "explore_attention", "explore_tokens", "model_map",
    "token_steps",
]  # fmt: skip
