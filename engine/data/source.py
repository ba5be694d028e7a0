"""`SourceSpec`: a description of where data comes from, small enough for a project file.

A spec is an immutable value: an edit is `dataclasses.replace(spec, noise=0.2)`. Only the fields of
its own kind matter and are written to JSON, so an old spec never carries settings it does not use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from engine.errors import N_, DataError, Message

Kind = Literal["toy", "sample", "folder", "idx", "npz", "array", "text", "audio"]
Unit = Literal["characters", "words"]
Reading = Literal["samples", "spectrogram"]
Pitch = Literal["mel", "linear"]
Resize = Literal["fit", "fill", "stretch"]
Numbers = tuple[Any, ...]  # nested tuples of numbers, rectangular

KINDS: tuple[Kind, ...] = ("toy", "sample", "folder", "idx", "npz", "array", "text", "audio")
UNITS: tuple[Unit, ...] = ("characters", "words")
READINGS: tuple[Reading, ...] = ("samples", "spectrogram")
PITCHES: tuple[Pitch, ...] = ("mel", "linear")
RESIZE: tuple[Resize, ...] = ("fit", "fill", "stretch")

FIELDS: dict[str, tuple[str, ...]] = {
    "toy": ("name", "count", "noise", "seed", "test_share", "normalize"),
    "sample": ("name", "test_share", "seed", "normalize"),
    "folder": ("path", "classes", "size", "channels", "resize", "test_share", "seed", "sha256", "normalize"),
    "idx": ("paths", "test_share", "seed", "sha256", "normalize"),
    "npz": ("path", "test_share", "seed", "sha256", "normalize"),
    "text": ("name", "paths", "unit", "window", "step", "most", "lower", "test_share", "sha256"),
    "audio": ("name", "path", "paths", "classes", "reading", "rate", "length", "stride", "frame", "hop",
              "bands", "pitch", "count", "noise", "test_share", "seed", "sha256", "normalize"),
    "array": ("x", "y", "x_test", "y_test", "class_names", "feature_names", "normalize"),
}  # fmt: skip

MAX_INLINE = 20_000  # numbers an array spec may hold; anything larger belongs into a file
MAX_SIDE = 4096
MAX_COUNT = 1_000_000
MAX_WINDOW = 1024
MAX_LENGTH = 65_536


@dataclass(frozen=True)
class SourceSpec:
    """Where examples come from. Build one with `SourceSpec.toy(...)`, `.folder(...)` and so on.

    kind        toy | sample | folder | idx | npz | array | text | audio
    name        toy: circle, spiral, ...; sample: fashion, digits; text without paths: emma;
                audio without path and paths: tones
    count       toy, tones: number of points or sounds, training and test together
    noise       toy, tones: 0 (none) to 1
    seed        toy points, and the split of any source that has no test part of its own
    test_share  0..0.9, the part held back for testing
    path        folder or .npz file; relative paths are resolved against the project's folder
    classes     folder, audio: only these class folders; () means all
    paths       idx: any of the files of the set; the partners are found beside them
                text: one file (what comes next is learnt) or several (which file a window is from)
                audio: files, each a class, instead of a folder of class folders
    unit        text: characters | words
    window      text: tokens of one example
    step        text: tokens from the start of a window to that of the next
    most        text: size of the vocabulary; rarer tokens are read as one, unknown
    lower       text: capital letters are read as small ones
    size        (height, width) pictures are brought to; None: chosen from the pictures
    channels    1 grey, 3 color, 0: chosen from the pictures
    resize      fit (whole picture, edges filled) | fill (cut at the edges) | stretch
    sha256      content of the source when it was last loaded; "" is not compared
    normalize   subtract the mean and divide by the standard deviation of the training part
    reading     audio: samples (a row of numbers) | spectrogram (a picture, the highest band on top)
    rate        audio: samples in a second that every file is brought to
    length      audio: samples of one example; 0: chosen by the reading
    stride      audio: samples from the start of an example to that of the next; 0: `length`
    frame, hop  spectrogram: samples of one frame, and from one frame to the next
    bands       spectrogram: rows
    pitch       spectrogram: the bands lie evenly in mel | linear in Hz
    x, y, ...   array: nested tuples; y of whole numbers means classes, otherwise targets

    Raises DataError for a field that cannot be used.
    """

    kind: Kind
    name: str = ""
    count: int = 500
    noise: float = 0.1
    seed: int = 0
    test_share: float = 0.2
    path: str = ""
    paths: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    channels: int = 0
    resize: Resize = "fit"
    sha256: str = ""
    normalize: bool = False
    unit: Unit = "characters"
    window: int = 16
    step: int = 1
    most: int = 1000
    lower: bool = False
    x: Numbers = ()
    y: Numbers = ()
    x_test: Numbers = ()
    y_test: Numbers = ()
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    reading: Reading = "samples"
    rate: int = 8000
    length: int = 0
    stride: int = 0
    frame: int = 256
    hop: int = 128
    bands: int = 32
    pitch: Pitch = "mel"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(
                N_("The kind of data is “{found}”; expected one of {expected}."),
                found=str(self.kind)[:40],
                expected=", ".join(KINDS),
            )
        _whole(self, "count", 1, MAX_COUNT)
        _whole(self, "seed", 0, 2**63 - 1)
        _whole(self, "window", 1, MAX_WINDOW)
        _whole(self, "step", 1, MAX_COUNT)
        _whole(self, "most", 2, 65536)
        if not isinstance(self.lower, bool):
            raise _bad("lower", self.lower, "true, false")
        if self.unit not in UNITS:
            raise _bad("unit", self.unit, ", ".join(UNITS))
        for name, low, high in (
            ("rate", 1000, 48_000), ("length", 0, MAX_LENGTH), ("stride", 0, MAX_COUNT), ("frame", 8, 8192),
            ("hop", 1, 8192), ("bands", 2, 512),
        ):  # fmt: skip
            _whole(self, name, low, high)
        for name, known in (("reading", READINGS), ("pitch", PITCHES)):
            if getattr(self, name) not in known:
                raise _bad(name, getattr(self, name), ", ".join(known))
        _number(self, "noise", 0.0, 1.0)
        _number(self, "test_share", 0.0, 0.9)
        for name in ("name", "path", "sha256"):
            if not isinstance(getattr(self, name), str):
                raise _bad(name, getattr(self, name), Message(N_("a text")))
        if not isinstance(self.normalize, bool):
            raise _bad("normalize", self.normalize, "true, false")
        if self.channels not in (0, 1, 3) or isinstance(self.channels, bool):
            raise _bad("channels", self.channels, "0, 1, 3")
        if self.resize not in RESIZE:
            raise _bad("resize", self.resize, ", ".join(RESIZE))
        if self.size is not None:
            _check_size(self.size)
        for name in ("paths", "classes", "class_names", "feature_names"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(text, str) for text in value):
                raise _bad(name, value, Message(N_("a list of texts")))
        if self.kind == "array":
            left = MAX_INLINE
            for name in ("x", "y", "x_test", "y_test"):
                left = _check_numbers(getattr(self, name), name, left)

    @classmethod
    def toy(
        cls, name: str, count: int = 500, noise: float = 0.1, seed: int = 0, test_share: float = 0.2
    ) -> SourceSpec:
        """Points made up from a formula; names in `engine.data.toy.TOYS`."""
        return cls("toy", name=name, count=count, noise=noise, seed=seed, test_share=test_share)

    @classmethod
    def sample(cls, name: str) -> SourceSpec:
        """Data that ships with Matrizen: "fashion", "digits" or "turned"."""
        return cls("sample", name=name)

    @classmethod
    def folder(
        cls,
        path: str,
        size: tuple[int, int] | None = None,
        channels: int = 0,
        resize: Resize = "fit",
        test_share: float = 0.2,
        seed: int = 0,
    ) -> SourceSpec:
        """A folder of class folders of pictures."""
        return cls(
            "folder",
            path=path,
            size=size,
            channels=channels,
            resize=resize,
            test_share=test_share,
            seed=seed,
        )

    @classmethod
    def idx(cls, *paths: str) -> SourceSpec:
        """IDX files (the format of MNIST), plain or .gz; one is enough where the others lie beside it."""
        return cls("idx", paths=tuple(paths))

    @classmethod
    def npz(cls, path: str) -> SourceSpec:
        """NumPy arrays `x, y` or `x_train, y_train, x_test, y_test` in one file."""
        return cls("npz", path=path)

    @classmethod
    def text(cls, *paths: str, name: str = "", window: int = 16, unit: Unit = "characters") -> SourceSpec:
        """A text, or several to tell apart; `name` one that ships with Matrizen: "emma"."""
        return cls("text", name=name, paths=tuple(paths), window=window, unit=unit)

    @classmethod
    def audio(
        cls, *paths: str, path: str = "", name: str = "", reading: Reading = "samples", rate: int = 8000
    ) -> SourceSpec:
        """WAV files, each a class, or a folder of class folders `path`; `name` is "tones" for made ones."""
        return cls("audio", name=name, path=path, paths=tuple(paths), reading=reading, rate=rate)

    @classmethod
    def array(
        cls,
        x: Sequence[Any],
        y: Sequence[Any],
        x_test: Sequence[Any] = (),
        y_test: Sequence[Any] = (),
        class_names: Sequence[str] = (),
        feature_names: Sequence[str] = (),
    ) -> SourceSpec:
        """A few numbers written into the project itself."""
        return cls(
            "array",
            x=_freeze(x),
            y=_freeze(y),
            x_test=_freeze(x_test),
            y_test=_freeze(y_test),
            class_names=tuple(class_names),
            feature_names=tuple(feature_names),
        )

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values holding the kind and the fields of that kind."""
        out: dict[str, Any] = {"kind": self.kind}
        for name in FIELDS[self.kind]:
            out[name] = _thaw(getattr(self, name))
        return out

    @classmethod
    def from_json(cls, data: object) -> SourceSpec:
        """The inverse of `to_json`. Raises DataError for anything that is not a usable spec."""
        if not isinstance(data, Mapping):
            raise _bad("data", data, Message(N_("an object with a kind")))
        kind = data.get("kind")
        if not isinstance(kind, str) or kind not in FIELDS:
            raise _bad("kind", kind, ", ".join(KINDS))
        unknown = sorted(str(key) for key in data if key != "kind" and key not in FIELDS[kind])
        if unknown:
            raise DataError(
                N_("The data settings hold {found}, which “{kind}” does not know; expected {expected}."),
                found=", ".join(unknown)[:200],
                kind=kind,
                expected=", ".join(FIELDS[kind]),
            )
        values = {name: _freeze(data[name]) for name in FIELDS[kind] if name in data}
        return cls(cast(Kind, kind), **values)


def _bad(field: str, found: object, expected: str | Message) -> DataError:
    return DataError(
        N_("The data setting “{field}” is {found}; expected {expected}."),
        field=field,
        found=repr(found)[:60],
        expected=expected,
    )


def _whole(spec: SourceSpec, name: str, low: int, high: int) -> None:
    value = getattr(spec, name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _bad(name, value, f"{low} … {high}")


def _number(spec: SourceSpec, name: str, low: float, high: float) -> None:
    value = getattr(spec, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _bad(name, value, f"{low:g} … {high:g}")


def _check_size(size: object) -> None:
    if (
        not isinstance(size, tuple)
        or len(size) != 2
        or any(isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MAX_SIDE for n in size)
    ):
        raise _bad("size", size, f"(1 … {MAX_SIDE}, 1 … {MAX_SIDE})")


def _check_numbers(value: object, name: str, left: int, depth: int = 0) -> int:
    """Count down the numbers in nested tuples; refuses anything else, too deep or too many."""
    if isinstance(value, tuple) and depth < 5:
        for part in value:
            left = _check_numbers(part, name, left, depth + 1)
        return left
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _bad(name, value, Message(N_("finite numbers in at most 4 levels of lists")))
    if left <= 0:
        raise DataError(
            N_("The data setting “{field}” holds more than {expected} numbers; put them into an .npz file."),
            field=name,
            expected=MAX_INLINE,
        )
    return left - 1


def _freeze(value: Any, depth: int = 0) -> Any:
    if isinstance(value, (list, tuple)):
        if depth > 8:
            raise DataError(N_("The data settings hold lists nested deeper than 8 levels."))
        return tuple(_freeze(part, depth + 1) for part in value)
    return value


def _thaw(value: Any) -> Any:
    return [_thaw(part) for part in value] if isinstance(value, tuple) else value
