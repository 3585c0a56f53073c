"""Chapter 3. Attention: each position asks all others, and takes a weighted average of what they answer.

Shapes: capital letters change with the data, names come from the Config.
    B  sequences in the batch     T  positions asking (queries)     S  positions asked (keys, values),
                                                                    N  those of them new in this call
"""

from .attend import Attend, attention_weights
from .latent import LatentAttention
from .multi_head import Attention, head_width

#: An attention is built by attention(d_model, n_heads, n_kv_heads, d_head, bias, qk_norm) and called as Attention is.
ATTENTIONS = {"dot_product": Attention, "latent": LatentAttention}

__all__ = ["ATTENTIONS", "Attend", "Attention", "LatentAttention", "attention_weights", "head_width"]
