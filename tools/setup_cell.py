# @title Setup: installs lmkit where it is missing, and says what runs here
import importlib.util, os, subprocess, sys

ADDRESS = ""  # of the book's repository; written here by tools/stamp.py
source = os.environ.get("LMKIT_SOURCE") or (ADDRESS and f"git+{ADDRESS}")
if sys.version_info < (3, 11):
    raise RuntimeError(f"lmkit needs Python 3.11 or newer; this kernel runs {sys.version.split()[0]}.")
spec = importlib.util.find_spec("lmkit")
if spec is None or spec.origin is None:  # None: only a folder of that name
    if not source:
        raise RuntimeError("lmkit is not installed here and the book's address is not set yet: set the environment "
                           "variable LMKIT_SOURCE to a folder, a wheel or a git+ address of it, and run this again.")
    wanted = f"{os.path.abspath(source)}[notebook]" if os.path.exists(source) else f"lmkit[notebook] @ {source}"
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", wanted], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install lmkit from {source}:\n{done.stderr.strip()[-2000:]}")
    importlib.invalidate_caches()

import torch
if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 10):
    raise RuntimeError(f"lmkit needs PyTorch 2.10 or newer; this kernel has {torch.__version__}.")
import lmkit
device = "cuda" if torch.cuda.is_available() else "cpu"
versions = f"lmkit {lmkit.__version__}, PyTorch {torch.__version__}, Python {sys.version.split()[0]}"
print(f"{versions}, {device}", file=sys.stderr)
