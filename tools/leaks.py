"""Fails where a file that git keeps names a package index, or a path of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Written in pieces, so that this file does not name what it looks for.
HOSTS = ("pypi" + r"\.org", "python" + "hosted", r"registry\.npm" + "js", r"deb\.deb" + "ian", r"/opt/" + "pypi")
PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/home/[a-z]")
TRACES = re.compile("|".join((*HOSTS, *PATHS)))
LARGEST = 1_000_000


def traces(path: Path) -> Iterator[str]:
    """Every trace in one file, as `path:line: what`."""
    if path.stat().st_size > LARGEST:
        yield f"{path}: {path.stat().st_size:,} bytes; too large to keep"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return  # a picture
    for number, line in enumerate(text.splitlines(), start=1):
        if found := TRACES.search(line):
            yield f"{path}:{number}: {found[0]}"


def main() -> int:
    """Print every trace in the files git keeps or would keep; 0 if there is none."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], capture_output=True, check=True
    )
    files = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    found = [trace for file in files if file.is_file() for trace in traces(file)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
