"""Chapter 8. Checkpoints that others write and read: the folders of config.json, *.safetensors and tokenizer files."""

from .export import export
from .load import load

__all__ = ["export", "load"]
