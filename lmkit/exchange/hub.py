"""Fetch a checkpoint from the Hugging Face hub: what is needed of it, resumed where it broke off, kept in its cache."""

import re
from pathlib import Path

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
WANTED = ["*.json", "model*.safetensors", "vocab.txt", "merges.txt"]


def download(name: str, revision: str | None = None) -> Path:
    """The local folder of the model `name` at `revision` (a commit, tag or branch; default: its newest).

    Raises FileNotFoundError if the hub has no such model or cannot be reached and the cache has none either.
    """
    if not HUB_ID.fullmatch(name):
        raise FileNotFoundError(f"{name!r} is neither a folder nor the name of a model on the hub (owner/name)")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    at = "" if revision is None else f" at revision {revision!r}"
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=WANTED, ignore_patterns=["*/*"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise FileNotFoundError(f"{name!r}{at} is no folder here, and the hub does not give it: {reason}") from None


def files_of(name: str, revision: str | None) -> list[str]:
    """The names of all files of a model of the hub."""
    from huggingface_hub import list_repo_files

    return list_repo_files(name, revision=revision)
