"""Fetch one file from any of several addresses, all or nothing."""

import contextlib
import hashlib
import os
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from types import SimpleNamespace

from .. import atomic

CHUNK = 1 << 16  # bytes


def cache_folder() -> Path:
    """Return the folder for downloads: LMKIT_CACHE, or `lmkit` in the platform's own cache folder."""
    if os.environ.get("LMKIT_CACHE"):
        return Path(os.environ["LMKIT_CACHE"]).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lmkit"


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def progress_bar(total: int | None, name: str, unit: str = "B", initial: int = 0):
    """A bar, of bytes as a rule, where tqdm is there, somebody watches, and it takes half a second; else silence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm warns about a notebook without ipywidgets and falls back to text
            from tqdm.auto import tqdm

            how = dict(unit=unit, unit_scale=True, leave=False, delay=0.5, disable=None)
            return tqdm(total=total, desc=name, initial=initial, **how)
    except ImportError:
        return contextlib.nullcontext(SimpleNamespace(update=lambda n: None))


def read_address(address: str, size: int, timeout: float) -> bytes:
    """Return the bytes at `address`; OSError or HTTPException unless there are exactly `size` of them."""
    request = urllib.request.Request(address, headers={"User-Agent": "lmkit"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        came = bytearray()
        with progress_bar(size, address.rsplit("/", 1)[-1]) as bar:
            while len(came) <= size and (chunk := response.read(CHUNK)):
                came += chunk
                bar.update(len(chunk))
    if len(came) != size:
        raise OSError(f"{'more than ' if len(came) > size else ''}{min(len(came), size)} bytes came, expected {size}")
    return bytes(came)


def download(
    name: str,
    mirrors: Iterable[str],
    path: Path,
    sha256: str,
    size: int,
    *,
    rounds: int = 3,
    timeout: float = 20.0,
    wait: float = 1.0,
) -> bytes:
    """Save the file with this checksum at `path`; return its bytes.

    Tries all mirrors in order, `rounds` times, with a pause of `wait` seconds that doubles. `timeout` is the longest
    silence in seconds. Raises ConnectionError, with what each mirror answered, if none gives the file.
    """
    for attempt in range(rounds):
        if attempt:
            time.sleep(wait * 2 ** (attempt - 1))
        failures = []
        for address in mirrors:
            try:
                data = read_address(address, size, timeout)
                if sha256_of(data) != sha256:
                    raise OSError(f"its sha256 is {sha256_of(data)}, expected {sha256}")
            except (OSError, HTTPException) as error:
                failures.append(f"{address} ({error or type(error).__name__})")
                continue
            atomic.write(path, data)
            return data
    raise ConnectionError(
        f"{name} could not be downloaded: tried {', '.join(failures)}; "
        f"without a network, put the file into a folder as {path.name} and set LMKIT_DATA to that folder"
    )
