"""Printing: aligned tables and JSON."""

import argparse
import json
from collections.abc import Sequence
from typing import Any


def example(text: str) -> dict[str, Any]:
    """Keyword arguments of a verb's parser: its example, kept line by line."""
    return {
        "epilog": f"Example: {text}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def as_json(value: Any) -> None:
    """Print ``value`` as JSON; NaN and infinity are refused."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print ``rows`` below ``head`` in aligned columns."""
    cells = [[str(x) for x in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for row in cells:
        print("  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)).rstrip())
