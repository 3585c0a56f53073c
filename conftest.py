"""What the roads of the tests share: `pytest` and `pytest @tests/nbval.args chapters`, here or in a copy."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tools"))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes or a network; left out by -m 'not slow', run in CI")


def pytest_collectstart(collector):
    """Progress bars and warnings go to stderr, which tools/refresh.py does not store: nbval must not ask for it."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr",)
