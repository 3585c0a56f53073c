"""lmkit: the component modules of a language model, swappable by name. What a reader types, nothing else."""

from . import presets
from .attention import Attend, Attention, attention_weights
from .cache import KVCache
from .choose import choose, show
from .count import count
from .data import batches
from .exchange import export, load
from .generate import beam_search, generate, stream
from .heads import LM
from .model import Config, EncoderDecoder, Transformer
from .objectives import next_token_loss
from .record import ablate, logit_lens, patch, record, record_heads, record_stream
from .train import train

__version__ = "0.1.0"
__all__ = [
    "Attend", "Attention", "Config", "EncoderDecoder", "KVCache", "LM", "Transformer", "ablate", "attention_weights",
    "batches", "beam_search", "choose", "count", "export", "generate", "load", "logit_lens", "next_token_loss", "patch",
    "presets", "record", "record_heads", "record_stream", "show", "stream", "train",
]  # fmt: skip
