"""Continue a text with a model: `python -m lmkit.generate tales "Once there"`, token by token as they come."""

import argparse
import sys

import torch

from ..exchange import load
from ..tokens import end_of, ids_of, text_of
from . import stream

EXAMPLES = """
examples:
  python -m lmkit.generate tales "Once there"                      the book's own model
  python -m lmkit.generate runs/tales "Once there" --count 3       the newest checkpoint of a run of yours
  echo "To be, or not" | python -m lmkit.generate openai-community/gpt2 --top-p 0.9 --tokens 50
"""


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lmkit.generate", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("model", help="what lmkit.load takes: one of the book's models, a folder, or a model of the hub")
    add("prompt", nargs="?", help="the text to continue (default: what comes in by the standard input)")
    add("--tokens", type=int, default=100, help="how many to add (default: %(default)s)")
    add("--count", type=int, default=1, help="texts, from one seed each (default: %(default)s)")
    add("--temperature", type=float, default=1.0, help="0: the likeliest; above 1: bolder (default: %(default)s)")
    add("--top-k", type=int, help="choose among the k likeliest")
    add("--top-p", type=float, help="choose among the likeliest that have the share p together")
    add("--min-p", type=float, help="choose among those with at least the share p of the likeliest one's")
    add("--repetition-penalty", type=float, help="above 1: what was said becomes less likely")
    add("--seed", type=int, default=0, help="the same seed, the same text (default: %(default)s)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="(default here: %(default)s)")
    return parser.parse_args(argv)


def main(argv=None) -> None:
    o = arguments(argv)
    try:
        run(o)
    except BrokenPipeError:  # who read it has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        print()
    except (ValueError, OSError, ImportError, TypeError) as problem:
        sys.exit(f"lmkit.generate: {problem}")


def run(o: argparse.Namespace) -> None:
    if min(o.tokens, o.count) < 1:
        raise ValueError(f"--tokens and --count must be at least 1, not {o.tokens} and {o.count}")
    prompt = sys.stdin.read().rstrip("\n") if o.prompt is None else o.prompt
    model, tokenizer = load(o.model, device=o.device)
    if tokenizer is None:
        raise ValueError(f"{o.model} has no tokenizer beside it, so a text cannot be read")
    ids = ids_of(tokenizer, prompt)
    if not ids:
        raise ValueError("the prompt is empty; give a text to continue")
    end = end_of(tokenizer)
    how = {name: getattr(o, name) for name in ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")}
    for number in range(o.count):
        told, shown = list(ids), text_of(tokenizer, ids)
        print(shown, end="", flush=True)
        for token in stream(model, torch.tensor([ids], device=o.device), o.tokens, seed=o.seed + number, **how):
            if int(token) == end:
                break
            told.append(int(token))
            text = text_of(tokenizer, told)
            if text.startswith(shown) and not text.endswith("\N{REPLACEMENT CHARACTER}"):  # half a character waits
                print(text[len(shown) :], end="", flush=True)
                shown = text
        print("\n" if number < o.count - 1 else "")


if __name__ == "__main__":
    main()
