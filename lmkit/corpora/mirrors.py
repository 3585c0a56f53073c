"""Fetch one file from any of several addresses, all or nothing."""

import hashlib
import os
import sys
import tempfile
import time
import urllib.request
import warnings
from http.client import HTTPException
from pathlib import Path

CHUNK = 1 << 16  # bytes


def cache_folder():
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


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()


def progress_bar(total, name):
    """Return a function that is told how many bytes came in: a bar where tqdm is installed and somebody watches."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm warns about a notebook without ipywidgets and falls back to text
            from tqdm.auto import tqdm

            return tqdm(total=total, desc=name, unit="B", unit_scale=True, leave=False, disable=None).update
    except ImportError:
        return lambda n: None


def read_address(address, size, timeout):
    """Return the bytes at `address`; OSError or HTTPException unless there are exactly `size` of them."""
    request = urllib.request.Request(address, headers={"User-Agent": "lmkit"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        came, advance = bytearray(), progress_bar(size, address.rsplit("/", 1)[-1])
        while len(came) <= size and (chunk := response.read(CHUNK)):
            came += chunk
            advance(len(chunk))
    if len(came) != size:
        raise OSError(f"{'more than ' if len(came) > size else ''}{min(len(came), size)} bytes came, expected {size}")
    return bytes(came)


def write_atomically(path, data):
    """Write `data` to `path` so that another process sees either no file or the whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def download(name, mirrors, path, sha256, size, *, rounds=3, timeout=20.0, wait=1.0):
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
            write_atomically(path, data)
            return data
    raise ConnectionError(
        f"{name} could not be downloaded: tried {', '.join(failures)}; "
        f"without a network, put the file into a folder as {path.name} and set LMKIT_DATA to that folder"
    )
