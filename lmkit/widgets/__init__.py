"""Pictures of attention, tokens and stream that answer when touched: in the static book, and with a live kernel."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention
from .explore_tokens import explore_tokens
from .stream_lens import StreamLens, stream_lens
from .token_steps import TokenSteps, token_steps

__all__ = [
    "AttentionMap", "StreamLens", "TokenSteps", "attention_map", "explore_attention", "explore_tokens", "stream_lens",
    "token_steps",
]  # fmt: skip
