"""Find a Chromium for the browser tests and the tools, and print its path; fetch one where there is none.

The order: $LMKIT_BROWSER; a Chromium or Chrome of the system; one that Playwright fetched before; Playwright's own,
fetched now; Debian's package, where this user may install it; else one sentence that says what to do.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "_build" / "html"
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
APPS = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]
HELP = "No browser for the browser tests: install Chromium or Chrome, or set LMKIT_BROWSER to the path of one."


def starts(path):
    """Whether this is a browser that runs here (Ubuntu's `chromium-browser` may be a stub that only names a snap)."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "chrom" in done.stdout.lower()


def installed():
    """The path of a browser that is there already, or None. A wrong LMKIT_BROWSER is an error."""
    if named := os.environ.get("LMKIT_BROWSER"):
        if starts(named):
            return named
        sys.exit(f"LMKIT_BROWSER is {named!r}, which does not start as a Chromium or Chrome.")
    candidates = [shutil.which(name) for name in NAMES] + APPS + [playwrights()]
    return next((path for path in candidates if path and Path(path).exists() and starts(path)), None)


def playwrights():
    """Where Playwright keeps its own Chromium, whether or not it was fetched; None without Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as p:
        return p.chromium.executable_path


def fetch():
    """Fetch a browser; what the tools print goes to stderr, because stdout is for the path."""
    root = getattr(os, "geteuid", lambda: 1)() == 0
    extra = ["--with-deps"] if root and shutil.which("apt-get") else []
    attempts = [[sys.executable, "-m", "playwright", "install", *extra, "chromium"]]
    if root and shutil.which("apt-get"):
        attempts.append(["apt-get", "update", "-qq"])
        attempts.append(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
    for command in attempts:
        print("[browser]", *command, file=sys.stderr, flush=True)
        subprocess.run(command, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if path := installed():
            return path
    return None


@contextmanager
def opened(what):
    """A Chromium to make `what` of the built book; without a book or a browser the program ends with a sentence."""
    from playwright.sync_api import sync_playwright

    if not (BOOK / "index.html").exists():
        sys.exit("The book is not built: run make book first.")
    if not (path := installed()):
        sys.exit(f"No browser for {what}: install Chromium or Chrome, or set LMKIT_BROWSER to the path of one.")
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def main():
    path = installed() or fetch()
    if not path:
        sys.exit(HELP)
    print(path)


if __name__ == "__main__":
    main()
