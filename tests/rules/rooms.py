#!/usr/bin/env python3
"""Every #include between rooms must be an edge of the table in docs/ARCHITECTURE.md."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
table = (root / "docs/ARCHITECTURE.md").read_text().split("| room | may use |")[1].split("\n\n")[0]
allowed = {m[1]: set(m[2].split()) for m in re.finditer(r"^\| `([\w/]+)` \| ([^|]*)\|", table, re.M)}


def room(path):
    return max((r for r in allowed if str(path).startswith(r + "/")), key=len, default=None)


bad = []
for source in sorted(p for d in ("probe", "dissectors", "exporter") for p in (root / d).rglob("*") if p.suffix in (".h", ".cpp", ".inc")):
    path = source.relative_to(root)
    here = room(path)
    if here is None:
        bad.append(f"{path}: is in no room of docs/ARCHITECTURE.md")
        continue
    if "everything" in allowed[here]:
        continue
    for number, text in enumerate(source.read_text().splitlines(), 1):
        m = re.match(r'#include [<"]([\w/.+-]+)[>"]', text)
        if not m:
            continue
        there = room(m[1]) if m[1].split("/")[0] in ("probe", "dissectors", "exporter") else None
        if there is None and m[1].startswith("fixbuf/"):
            there = "fixbuf"
        if there is None and m[1].startswith("rte_"):
            there = "dpdk"
        if there and there != here and there not in allowed[here]:
            bad.append(f"{path}:{number}: {here} may not use {there}")
print("\n".join(bad) or f"{len(allowed)} rooms, no forbidden edge")
sys.exit(bool(bad))
