"""Fails where a relative link or a picture in the documentation leads nowhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def broken(page: Path) -> Iterator[str]:
    """Every link of one page that leads nowhere, as `page:line: target`."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        for target in LINK.findall(line):
            path = target.partition("#")[0]
            if path and "://" not in path and not (page.parent / path).exists():
                yield f"{page}:{number}: {target}"


def main() -> int:
    """Print every broken link of the Markdown pages; 0 if there is none."""
    pages = [*sorted(Path().glob("*.md")), *sorted(Path("docs").rglob("*.md"))]
    found = [link for page in pages for link in broken(page)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
