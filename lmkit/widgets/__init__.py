"""Pictures of attention that answer when touched: in the static book, and with a live kernel."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention

__all__ = ["AttentionMap", "attention_map", "explore_attention"]
