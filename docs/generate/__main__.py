"""`python -m docs.generate` writes the pages; with --check it says which ones are not what the code makes today."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.generate import completion, errors, metrics

DOCS: Final = Path(__file__).resolve().parents[1]
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "metrics.md": metrics.page,
    "errors.md": errors.page,
    "completion.md": completion.page,
}


def stale_pages(folder: Path = DOCS) -> list[str]:
    """The pages that are missing or are not what the code makes today."""
    kept = {name: folder / name for name in PAGES}
    return [name for name, path in kept.items() if not path.exists() or path.read_text() != PAGES[name]()]


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(prog="docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is stale")
    if not parser.parse_args().check:
        for name, page in PAGES.items():
            (DOCS / name).write_text(page())
    elif stale := stale_pages():
        sys.exit("stale, run `make docs`: " + ", ".join(f"docs/{name}" for name in stale))


if __name__ == "__main__":
    main()
