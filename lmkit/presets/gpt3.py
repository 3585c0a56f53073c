"""GPT-3: the eight sizes of table 2.1. Its weights were never published, so there is nothing to load or export.

Its layers are alternately dense and locally banded (Child et al. 2019, arXiv:1904.10509): in every other layer a
position sees its neighbourhood only. The width of the band is not published, so these are dense; what the pattern would
be with a band of 256 is `dataclasses.replace(get("gpt3-125m"), window=(None, 256))`.
"""

from ..config import Config


def _size(d_model: int, n_layers: int, n_heads: int, d_head: int) -> Config:
    return Config(50257, d_model, n_layers, n_heads, d_head=d_head, max_seq_len=2048, ffn="gelu_tanh")


SIZES = {
    "Brown et al. 2020, arXiv:2005.14165": {
        "gpt3-125m": _size(768, 12, 12, 64),
        "gpt3-350m": _size(1024, 24, 16, 64),
        "gpt3-760m": _size(1536, 24, 16, 96),
        # The table prints 24 heads of 128, which is not 2048, and with which the model would have 1.52 billion
        # parameters; 16 heads of 128 give its 1.3 billion.
        "gpt3-1.3b": _size(2048, 24, 16, 128),
        "gpt3-2.7b": _size(2560, 32, 32, 80),
        "gpt3-6.7b": _size(4096, 32, 32, 128),
        "gpt3-13b": _size(5140, 40, 40, 128),  # 5140 is what the table prints; 40 heads of 128 would be 5120
        "gpt3-175b": _size(12288, 96, 96, 128),
    }
}
