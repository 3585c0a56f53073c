"""What loading a checkpoint costs: memory at its peak beyond the libraries, over the size of the weights; and seconds.

Each load runs in a process of its own (Linux: it reads the high-water mark that the kernel keeps), lmkit's and
transformers' in turn, and ends with the logits of eight tokens: transformers maps a file of the dtype asked for into
memory and reads it when it is first used, lmkit reads and checks every number before it returns.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from lmkit import LM, export, presets

ROUNDS = 3
LOAD = """
import json, sys, time, warnings
from pathlib import Path
import torch
kind, folder, dtype = sys.argv[1:]
if kind == "lmkit":
    from lmkit import load
    import safetensors
else:
    import transformers
    transformers.logging.disable_progress_bar()
    transformers.AutoModelForCausalLM, transformers.GPT2LMHeadModel, transformers.LlamaForCausalLM
torch.randn(64, 64) @ torch.randn(64, 64)
memory = lambda key: int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(key))) * 1024
Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
before, began = memory("VmRSS"), time.perf_counter()
wanted = None if dtype == "None" else getattr(torch, dtype)
model = load(folder, dtype=wanted)[0] if kind == "lmkit" else (
    transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=wanted or "auto"))
loaded = time.perf_counter() - began
with torch.no_grad():
    model(torch.arange(8)[None])
seconds, peak, after = time.perf_counter() - began, memory("VmHWM"), memory("VmRSS")
size = sum(p.nbytes for p in model.parameters())
peak, after = ((bytes - before) / size for bytes in (peak, after))
print(json.dumps(dict(peak=peak, after=after, loaded=loaded, seconds=seconds, size=size)))
"""


def checkpoints(folder: Path):
    """(title, folder, dtype asked for) of random models, written by lmkit.export."""
    gpt2 = export(LM(presets.get("gpt2")), None, folder / "gpt2")
    small = replace(presets.get("llama-3.2-1b"), vocab_size=32000, n_layers=4, tied=False)
    llama = export(LM(small).bfloat16(), None, folder / "llama", max_shard_size=200_000_000)
    wide = replace(presets.get("llama-3.2-1b"), n_layers=1, tied=True)  # most of it is one matrix
    embedding = export(LM(wide).bfloat16(), None, folder / "embedding")
    yield "GPT-2 124M, float32, one file, fused and transposed", gpt2, None
    yield "the same, to bfloat16", gpt2, "bfloat16"
    yield f"Llama shape, bfloat16, {len(list(llama.glob('*.safetensors')))} shards", llama, None
    yield "one layer below a vocabulary of 128,256, bfloat16", embedding, None


def measured(kind: str, folder: Path, dtype: str | None) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, kind, str(folder), str(dtype)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    print(f"{torch.get_num_threads()} threads; medians of {ROUNDS} processes each")
    with tempfile.TemporaryDirectory() as folder:
        for title, path, dtype in checkpoints(Path(folder)):
            runs = [{kind: measured(kind, path, dtype) for kind in ("lmkit", "transformers")} for _ in range(ROUNDS)]
            print(f"{title}: {runs[0]['lmkit']['size'] / 1e6:.0f} MB")
            for kind in runs[0]:
                keys = ("peak", "after", "loaded", "seconds")
                peak, after, loaded, seconds = (statistics.median(run[kind][key] for run in runs) for key in keys)
                memory = f"peak {peak:.2f} x  afterwards {after:.2f} x"
                print(f"  {kind:<12}  {memory}  loaded after {loaded:.2f} s, logits after {seconds:.2f} s")


if __name__ == "__main__":
    main()
