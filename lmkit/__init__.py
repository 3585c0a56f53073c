"""lmkit: the component modules of a language model, swappable by name. What a reader types, nothing else."""

from .attention import Attend, Attention, KVCache, attention_weights
from .choose import choose, show
from .data import batches
from .heads import LM
from .model import Config, Transformer
from .objectives import next_token_loss
from .record import record
from .sampling import generate
from .train import train

__version__ = "0.1.0"
__all__ = [
    "Attend", "Attention", "Config", "KVCache", "LM", "Transformer", "attention_weights", "batches", "choose",
    "generate", "next_token_loss", "record", "show", "train",
]  # fmt: skip
