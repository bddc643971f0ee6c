#!/usr/bin/env python3
"""What documents say about the program must be what the program says about itself.

Usage: documents.py SOURCE_ROOT AUGPROBE
Checks that the man page has every option of --help, that METRICS.md has every quality mark, that EXPORT.md and the man page
have every option of a target, and that links between documents lead somewhere.
"""
import pathlib
import re
import subprocess
import sys

root, augprobe = pathlib.Path(sys.argv[1]), sys.argv[2]
bad = []


def help_of(*command):
    return subprocess.run([augprobe, *command, "--help"], capture_output=True, text=True, check=True).stdout


def man_sections():
    """Text of the man page by command, with troff's escapes taken out."""
    text = re.sub(r"\\f[BIR]", "", (root / "docs/augprobe.1").read_text()).replace("\\-", "-")
    sections = {}
    for title, body in re.findall(r"^\.SS (.*)\n((?:(?!\.S[SH]).*\n)*)", text, re.M):
        for name in title.split(", "):
            sections[name] = body
    return sections, text


sections, man = man_sections()
everywhere = sections.get("Everywhere", "")
commands = re.findall(r"^  ([a-z][a-z-]*) ", help_of().split("Subcommands:")[1], re.M)
for command in [None] + commands:
    if command and command not in sections:
        bad.append(f"docs/augprobe.1: the command {command} is missing")
        continue
    there = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", everywhere + (sections[command] if command else ""))
    for line in help_of(*([command] if command else [])).split("Options:")[1].splitlines():
        m = re.match(r"  ((?:-\w,)?--[\w-]+)", line)
        for option in m[1].split(",") if m else []:
            if option not in there:
                bad.append(f"docs/augprobe.1: {command or 'augprobe'} has no {option}")

metrics = (root / "docs/METRICS.md").read_text()
for bit, name, meaning in re.findall(r'QUALITY\((\d+), (\w+), "([^"]*)"\)', (root / "probe/base/quality.inc").read_text()):
    row = f"| {bit} | {1 << int(bit)} | `{name}` | {meaning} |"
    if row not in metrics:
        bad.append(f"docs/METRICS.md: this row is missing: {row}")

target = (root / "exporter/run/target.cpp").read_text().split("void check_options")[1].split("\n}\n")[0]
export = (root / "docs/EXPORT.md").read_text()
for option in re.findall(r'key == "(\w+)"', target):
    if f"`{option}=" not in export:
        bad.append(f"docs/EXPORT.md: the option {option} of targets is missing")
    if not re.search(rf"^\.BI? {option}=|^\.BR {option}=", man, re.M):
        bad.append(f"docs/augprobe.1: the option {option} of targets is missing")

for page in [*root.glob("*.md"), *root.glob("docs/*.md")]:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        if not (page.parent / link).exists():
            bad.append(f"{page.relative_to(root)}: the link to {link} leads nowhere")

print("\n".join(bad) or f"{len(commands)} commands, all documents as the program is")
sys.exit(bool(bad))
