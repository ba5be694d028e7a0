"""The texts of the program for translators: collect them, update German, compile, check.

Run inside .venv (`tasks.py translations [--check]`), because Babel reads the sources. Texts are
literals in `tr("...")`, `trn("one", "many", n)` and `N_("...")`. A comment that begins with
"Translators:" right above a text is handed on.

Catalogs name no line numbers and no dates, so that they only change when a text does.
"""

from __future__ import annotations

import ast
import datetime
import io
import re
import sys
from pathlib import Path
from typing import Any

DOMAIN = "matrizen"
LANGUAGES = ("de",)
SOURCES = ("engine", "gui", "main.py")
KEYWORDS = {"tr": None, "N_": None, "trn": (1, 2)}
COMMENT = ["Translators:"]
WIDTH = 110
TEAM = "the Matrizen authors"
HEADER: dict[str, Any] = {
    "header_comment": f"# The texts of Matrizen. MIT license, {TEAM}.",
    "project": "Matrizen",
    "version": "1",
    "msgid_bugs_address": TEAM,
    "last_translator": TEAM,
    "language_team": TEAM,
    "fuzzy": False,
    # a date would change the files without any change of their texts
    "creation_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    "revision_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
}
_FIELD = re.compile(r"\{[^{}]*\}")


def main(arguments: list[str], root: Path) -> int:
    """Update the catalogs below `root`, or with `--check` only say what is out of date (status 1)."""
    if set(arguments) - {"--check"}:
        print("usage: tasks.py translations [--check]", file=sys.stderr)
        return 2
    if "--check" not in arguments:
        update(root)
        return 0
    complaints = check(root)
    for complaint in complaints:
        print(f"translations: {complaint}", file=sys.stderr)
    if complaints:
        print("translations: `python3 tasks.py translations` updates the catalogs.", file=sys.stderr)
    return 1 if complaints else 0


def extract(root: Path) -> Any:
    """Every text of the program as a Babel catalog, in the order of files and lines."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract as read_texts

    catalog = Catalog(**HEADER)
    for file in source_files(root):
        found = read_texts("python", io.BytesIO(file.read_bytes()), KEYWORDS, COMMENT, {"encoding": "utf-8"})
        for _line, message, comments, context in found:
            if message:
                place = [(file.relative_to(root).as_posix(), 0)]
                catalog.add(message, locations=place, auto_comments=comments, context=context)
    for entry in catalog:  # a text used twice in a file is one place
        entry.locations = list(dict.fromkeys(entry.locations))
    return catalog


def source_files(root: Path) -> list[Path]:
    """The Python files whose texts people see."""
    files: list[Path] = []
    for name in SOURCES:
        start = root / name
        files += [start] if start.is_file() else sorted(start.rglob("*.py"))
    return [file for file in files if file.exists()]


def update(root: Path) -> None:
    """Write the template, merge it into every language's catalog and compile those."""
    from babel.messages.catalog import Catalog

    texts = extract(root)
    template = folder(root) / f"{DOMAIN}.pot"
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_bytes(_written(texts))
    for language in LANGUAGES:
        po = _catalog_file(root, language)
        po.parent.mkdir(parents=True, exist_ok=True)
        catalog = _read(po, language) if po.exists() else Catalog(locale=language, **HEADER)
        # a guessed translation is worse than an English text
        catalog.update(texts, no_fuzzy_matching=True, update_header_comment=True)
        catalog.fuzzy = False
        catalog.revision_date = HEADER["revision_date"]
        po.write_bytes(_written(catalog))
        po.with_suffix(".mo").write_bytes(_compiled(catalog))
        left = [message for message in catalog if message.id and not _done(message)]
        print(f"translations: {language}: {len(catalog) - len(left)} texts translated, {len(left)} missing")


def check(root: Path) -> list[str]:
    """What is missing, broken or stale, one sentence each; empty when all is well."""
    texts = extract(root)
    complaints = put_together(root)
    for language in LANGUAGES:
        po = _catalog_file(root, language)
        if not po.exists():
            complaints.append(f"{po.relative_to(root)} does not exist")
            continue
        catalog = _read(po, language)
        for message in texts:
            if not message.id:
                continue
            text = message.id[0] if isinstance(message.id, tuple) else message.id
            place = message.locations[0][0]
            translated = catalog.get(text, message.context)
            if translated is None or not _done(translated):
                complaints.append(f"{place}: not in {language}: {text!r}")
            elif other := different_fields(message.id, translated.string):
                complaints.append(f"{place}: {language} of {text!r} has other fields: {', '.join(other)}")
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.read_bytes() != _compiled(catalog):
            complaints.append(f"{mo.relative_to(root)} is not compiled from {po.name}")
    return complaints


def put_together(root: Path) -> list[str]:
    """Texts that are formatted before they are translated, so that no catalog can hold them."""
    found = []
    for file in source_files(root):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in KEYWORDS:
                continue
            first = node.args[0] if node.args else None
            formatted = isinstance(first, ast.Call) and getattr(first.func, "attr", "") == "format"
            if formatted or isinstance(first, (ast.JoinedStr, ast.BinOp)):
                place = f"{file.relative_to(root).as_posix()}:{node.lineno}"
                found.append(f"{place}: give the text as it stands, and format what tr() returns")
    return found


def different_fields(source: str | tuple[str, ...], translation: str | tuple[str, ...]) -> list[str]:
    """The `{fields}` that stand in only one of the two; a plural may leave out what the source names."""
    here = set(_FIELD.findall(" ".join(source) if isinstance(source, tuple) else source))
    there = set(_FIELD.findall(" ".join(translation) if isinstance(translation, tuple) else translation))
    return sorted(here ^ there)


def folder(root: Path) -> Path:
    """Where the catalogs lie."""
    return root / "resources" / "translations"


def _catalog_file(root: Path, language: str) -> Path:
    return folder(root) / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def _done(message: Any) -> bool:
    return not message.fuzzy and bool(message.string) and all(message.string)


def _read(po: Path, language: str) -> Any:
    from babel.messages.pofile import read_po

    with po.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def _written(catalog: Any) -> bytes:
    from babel.messages.pofile import write_po

    buffer = io.BytesIO()
    write_po(buffer, catalog, width=WIDTH, include_lineno=False, ignore_obsolete=True)
    return buffer.getvalue()


def _compiled(catalog: Any) -> bytes:
    from babel.messages.mofile import write_mo

    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parents[2]))
