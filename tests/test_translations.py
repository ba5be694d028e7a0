"""Collecting, merging, compiling and checking the texts of the program."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import translations


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small program with texts, its German complete."""
    (tmp_path / "gui").mkdir()
    (tmp_path / "gui" / "a.py").write_text(
        'tr("Play")\n# Translators: of a network\ntrn("{n} layer", "{n} layers", n)\nother("no")\n'
    )
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "b.py").write_text('N_("{file} is "\n   "empty.")\ntr("Play")\n')
    translations.update(tmp_path)
    _translate(tmp_path, "Play", "Abspielen")
    _translate(tmp_path, "{file} is empty.", "{file} ist leer.")
    _translate(tmp_path, "{n} layer", ("{n} Schicht", "{n} Schichten"))
    return tmp_path


def _translate(root: Path, text: str, german: str | tuple[str, ...]) -> None:
    po = translations.folder(root) / "de" / "LC_MESSAGES" / "matrizen.po"
    catalog = translations._read(po, "de")
    catalog.get(text).string = german
    po.write_bytes(translations._written(catalog))
    translations.update(root)


def test_texts_are_found_translated_and_compiled(sources: Path) -> None:
    texts = {message.id for message in translations.extract(sources) if message.id}
    assert texts == {"Play", "{file} is empty.", ("{n} layer", "{n} layers")}
    german = gettext.translation("matrizen", str(translations.folder(sources)), languages=["de"])
    assert german.gettext("Play") == "Abspielen"
    assert german.ngettext("{n} layer", "{n} layers", 3) == "{n} Schichten"
    assert translations.check(sources) == []
    template = (translations.folder(sources) / "matrizen.pot").read_text(encoding="utf-8")
    assert "of a network" in template
    assert "gui/a.py" in template


def test_updating_again_changes_no_byte(sources: Path) -> None:
    files = [path for path in translations.folder(sources).rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    translations.update(sources)
    assert {path: path.read_bytes() for path in files} == before
    assert len(before) == 3


def _new_text(root: Path) -> None:
    (root / "gui" / "c.py").write_text('tr("Pause")\n')


def _lost_field(root: Path) -> None:
    _translate(root, "{file} is empty.", "{datei} ist leer.")


def _stale(root: Path) -> None:
    po = translations.folder(root) / "de" / "LC_MESSAGES" / "matrizen.po"
    po.write_text(po.read_text(encoding="utf-8").replace("Abspielen", "Los"), encoding="utf-8")


def _formatted_too_early(root: Path) -> None:
    (root / "gui" / "d.py").write_text('x = 1\ntr(f"Epoch {x}")\n')


def _half_plural(root: Path) -> None:
    _translate(root, "{n} layer", ("{n} Schicht", ""))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_new_text, "gui/c.py: not in de: 'Pause'"),
        (_lost_field, "has other fields: {datei}, {file}"),
        (_stale, "is not compiled from"),
        (_formatted_too_early, "gui/d.py:2: give the text as it stands"),
        (_half_plural, "not in de: '{n} layer'"),
    ],
)
def test_the_check_finds_what_is_wrong(
    sources: Path, spoil: Callable[[Path], None], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(sources)
    assert translations.main(["--check"], sources) == 1
    assert complaint in capsys.readouterr().err


def test_no_text_of_the_program_is_put_together_before_it_is_translated(root: Path) -> None:
    assert translations.put_together(root) == []
    assert len(translations.extract(root)) > 100


def test_the_check_is_content_with_a_complete_catalog(sources: Path) -> None:
    assert translations.main(["--check"], sources) == 0
    assert translations.main(["--chekc"], sources) == 2
