"""Chapter 10. The lab: alternatives compared fairly, a ledger of what was found, and what to begin with."""

from .compare import Comparison, Study, compare
from .ledger import FOLDER, read
from .plot import plot
from .recommend import Choice, Recommendation, recommend
from .settings import BASE, grid
from .statistics import Difference, paired, t_quantile
from .studies import STUDIES
from .table import Table, is_stale, table

__all__ = [
    "BASE", "FOLDER", "STUDIES", "Choice", "Comparison", "Difference", "Recommendation", "Study", "Table", "compare",
    "grid", "is_stale", "paired", "plot", "read", "recommend", "t_quantile", "table",
]  # fmt: skip
