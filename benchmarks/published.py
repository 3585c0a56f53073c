"""A published checkpoint, read by lmkit and by transformers: how far apart are the two?

    python benchmarks/published.py FOLDER

FOLDER holds config.json, model.safetensors and the tokenizer's files. Printed are the largest difference of the stream
after every block and of the output, at real tokens, and, for a bare encoder, which sentences it finds alike.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from torch import nn

from lmkit import load
from lmkit.heads import mean_pool
from lmkit.model import Transformer
from lmkit.record import record_stream

TEXTS = [
    "A cat sleeps on the warm stove.",
    "The kitten is napping near the oven.",
    "The parliament votes on the budget tomorrow.",
    "Lawmakers will decide about next year's spending.",
    "How do I boil an egg?",
    "Put the egg into boiling water for six minutes, then cool it under the tap before you peel it.",
]


def main(folder: Path) -> None:
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    ours, tokenizer = load(folder)
    theirs = getattr(transformers, said["architectures"][0]).from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer.no_truncation()
    tokenizer.enable_padding(pad_id=said.get("pad_token_id") or 0)  # on the right, to the longest
    batch = tokenizer.encode_batch(TEXTS)
    ids = torch.tensor([text.ids for text in batch])
    real = torch.tensor([text.attention_mask for text in batch]).bool()
    n = sum(parameter.numel() for parameter in ours.parameters())
    print(f"{folder}: {type(ours).__name__}, {n:,} parameters, {int(real.sum())} tokens")
    compare(ours, theirs, ids, real)
    if type(ours) is Transformer and not ours.config.causal:
        print_likeness(ours, ids, real)


@torch.no_grad()
def compare(ours: nn.Module, theirs: nn.Module, ids: torch.Tensor, real: torch.Tensor) -> None:
    """Print how far the stream and the output are apart."""
    how = dict(attention_mask=real.long(), output_hidden_states=True)
    if ours.config.n_encoder_layers:
        there, names = (
            theirs(ids, decoder_input_ids=ids, decoder_attention_mask=real.long(), **how),
            "decoder_hidden_states",
        )
        with record_stream(ours) as stream:
            here = ours(ids, real=real, source=ids, source_real=real)
        points = [stream[f"decoder.blocks.{layer}.ffn"] for layer in range(ours.config.n_layers)]
    else:
        there, names = theirs(ids, **how), "hidden_states"
        with record_stream(ours) as stream:
            here = ours(ids, real=real)
        points = [stream[f"blocks.{layer}.ffn"] for layer in range(ours.config.n_layers)]
    # after the last block, transformers gives the stream behind the final norm, if there is one: there is the output
    between = zip(points[: -1 if ours.config.final_norm else None], there[names][1:], strict=False)
    blocks = [float((a - b)[real].abs().max()) for a, b in between]
    here = here if isinstance(here, torch.Tensor) else here[0]
    apart, size = float((here - there[0])[real].abs().max()), float(there[0][real].abs().max())
    print(f"largest difference: {apart:.1e} in the output, of numbers up to {size:.1f}")
    print("after each block: " + " ".join(f"{block:.0e}" for block in blocks))


@torch.no_grad()
def print_likeness(ours: nn.Module, ids: torch.Tensor, real: torch.Tensor) -> None:
    """Print the cosine of each pair of sentences, and with whom each is most alike."""
    vectors = nn.functional.normalize(mean_pool(ours(ids, real=real), real), dim=-1)
    cosines = vectors @ vectors.T
    for text, row in zip(TEXTS, cosines, strict=True):
        print(" ".join(f"{float(cosine):5.2f}" for cosine in row), "", text)
    nearest = (cosines - torch.eye(len(TEXTS))).argmax(dim=1).tolist()
    print("most alike:", ", ".join(f"{a} with {b}" for a, b in enumerate(nearest)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
