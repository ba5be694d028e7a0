"""The pictures of docs/curriculum.md: walks through the lessons and the labs, some in German, some light.

`python -m tests.journeys.screenshots curriculum`; a walk alone by its name, `... curriculum:labs`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.engine.data.wav_bytes import wav
from tests.journeys.harness import ROOT, Journey, cell, middle

PICTURES = ROOT / "docs" / "pictures" / "curriculum"
SAMPLES = ROOT / "resources" / "samples"
SIZE = (1600, 1000)
WIDTH, COLORS = 880, 64
"""The pictures are made smaller, so that the repository stays small."""
Shoot = Callable[[str], None]


@dataclass(frozen=True)
class Walk:
    """One run of the program in a language and a theme; `act` takes pictures by name."""

    sample: str
    language: str
    theme: str
    act: Callable[[Journey, Shoot], None]


def palette(journey: Journey, words: str) -> None:
    """An action by its name."""
    journey.key("ctrl+shift+p")
    journey.pause(0.3)
    journey.type(words)
    journey.key("Return")
    journey.pause(1.2)


def lesson(
    name: str, wanted: dict[int, str], clicks: dict[int, tuple[str, int, int]]
) -> Callable[[Journey, Shoot], None]:
    """Through a lesson; step -> picture, and step -> (dock, row, column) of a cell opened before it."""

    def act(journey: Journey, shoot: Shoot) -> None:
        journey.key("ctrl+shift+l")
        journey.wait(lambda now: any(w["name"] == f"start_{name}" for w in now["widgets"]), "the lessons")
        box = journey.find(name=f"start_{name}")["rect"]
        if box[1] > SIZE[1] - 80:  # further down in the list
            journey.point((box[0] + 40, SIZE[1] // 2))
            journey.do("click", "--repeat", 20, "--delay", 20, 5)
            journey.pause(0.5)
        journey.press(name=f"start_{name}")
        for step in range(1, max(wanted) + 1):
            journey.wait(lambda now: any(w["name"] == "lesson_next" for w in now["widgets"]), f"step {step}")
            if step in wanted:
                journey.pause(0.8)
                journey.wait(lambda now: not now["busy"], "rest", 30)
                journey.pause(0.8)
                if step in clicks:
                    dock, row, column = clicks[step]
                    look = journey.wait(lambda now, dock=dock: now["docks"][dock], f"the dock {dock}")
                    journey.click(cell(look["docks"][dock], row, column))
                    journey.wait(lambda now: now["card"], "the card")
                    journey.pause(0.6)
                shoot(wanted[step])
                if step in clicks:
                    journey.key("Escape")
            if step < max(wanted):
                journey.press(name="lesson_next")

    return act


def labs(journey: Journey, shoot: Shoot) -> None:
    """The example of one layer: equation, update, gradients, optimizer, code."""
    journey.key("ctrl+m")
    journey.pause(1.2)
    look = journey.fresh()
    z = next(m for m in look["lab"]["matrices"] if m["value"] == "layer1.z")
    journey.click(cell(z, 0, 1))
    journey.pause(0.8)
    shoot("lab_forward")
    journey.press(text="(W | b)")
    journey.pause(0.8)
    shoot("lab_folded")
    journey.press(text="+ b")
    journey.key("Escape")
    journey.key("Down", "Down", "Down", "Down", "Down")
    journey.pause(0.8)
    look = journey.fresh()
    made = next(m for m in look["lab"]["matrices"] if m["value"] == "layer1.weight@grad")
    journey.click(cell(made, 1, 1))
    journey.pause(0.8)
    shoot("lab_backward")
    journey.key("Escape")
    palette(journey, "check gradients")
    journey.wait(lambda now: any("✓ ≤" in w["text"] for w in now["widgets"]), "the check")
    journey.pause(0.5)
    shoot("lab_gradient_check")
    palette(journey, "optimizer x-ray")
    journey.press(name="optimizer_race_button")
    journey.wait(lambda now: any("400" in w["text"] for w in now["widgets"]), "the race", 30)
    journey.pause(1.0)
    shoot("lab_optimizer")
    palette(journey, "numpy proof")
    journey.pause(1.0)
    shoot("numpy_proof")
    journey.key("Escape")


def convolution(journey: Journey, shoot: Shoot) -> None:
    """A convolution in the matrix lab, and the docks of the network in German."""
    node = journey.fresh()["nodes"]["conv1"]
    journey.click((node["rect"][0] + node["rect"][2] // 2, node["rect"][1] + 10))
    journey.key("F7")
    journey.wait(lambda now: now["step"] >= 1, "a step", 30)
    journey.pause(1.0)
    shoot("feature_maps")
    journey.key("ctrl+m")
    journey.pause(1.5)
    look = journey.fresh()
    z = next(m for m in look["lab"]["matrices"] if m["value"] == "conv1.z")
    journey.click(cell(z, 3, 4))
    journey.pause(0.8)
    shoot("lab_convolution")
    journey.key("Escape", "Escape")


def devices(journey: Journey, shoot: Shoot) -> None:
    """The run taken back, a second one beside it, and what the devices do."""
    journey.key("space")
    journey.wait(lambda now: now["step"] > 800, "some steps", 60)
    journey.key("space")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    line = journey.fresh()["time_line"]
    journey.drag((line["to"], line["y"]), ((line["from"] + line["to"]) // 2, line["y"]))
    journey.key("ctrl+b")
    journey.pause(0.5)
    journey.key("space")
    journey.pause(1.0)
    journey.key("space")
    journey.pause(1.0)
    shoot("two_runs")
    palette(journey, "Gerätelabor")
    journey.wait(lambda now: not any("getestet" in w["text"] for w in now["widgets"]), "the devices", 120)
    for words, name in (
        ("Ein Rechenschritt", "lab_devices"), ("Ein Kern", "lab_cores"), ("Schichten", "lab_layers"),
    ):  # fmt: skip
        button = next(w for w in journey.fresh()["widgets"] if w["label"].startswith(words))
        journey.click(middle(button["rect"]))
        journey.press(text="Messen")
        journey.pause(0.5)
        journey.wait(
            lambda now: not any(w["text"] == "Abbrechen" for w in now["widgets"]), "the measurement", 150
        )
        journey.pause(1.2)
        shoot(name)


def turned(journey: Journey, shoot: Shoot) -> None:
    """The affine lab: a picture turned and shifted, in both orders, and its 36 turns."""
    palette(journey, "affine lab")
    for label, text in (("Rotate: angle", "20"), ("Shift: right", "40")):
        journey.click(middle(journey.find(label=label, kind="NumberField")["rect"]))
        journey.key("ctrl+a")
        journey.type(text)
        journey.key("Return")
    journey.press(text="Turn")
    journey.pause(1.0)
    journey.wait(lambda now: not now["busy"], "the turns", 60)
    journey.pause(4.0)
    shoot("lab_affine")


def melody(path: Path) -> Path:
    """Twelve plucked notes of three seconds, as a WAV."""
    rate = 44_100
    time = np.arange(3 * rate) / rate
    turns = np.cumsum(220 * 2 ** (np.floor(time * 4) / 6)) / rate
    wave = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 6)) * np.exp(-2 * ((time * 4) % 1)) / 4
    path.write_bytes(wav(np.asarray(wave), rate))
    return path


def sound(journey: Journey, shoot: Shoot) -> None:
    """A trained network is asked about a sound that is dropped on it: spectrogram and samples."""
    journey.press(name="play")
    journey.wait(lambda now: (now["accuracy"] or 0) >= 0.95, "good answers", 60)
    journey.press(name="play")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    path = melody(journey.home / "Melodie.wav")
    files = journey.files((1380, 230), path)
    journey.drag(files.place(path), (560, 480))
    journey.wait(lambda now: now["answer"], "the answer")
    files.close()
    journey.pause(1.0)
    shoot("sound_numbers")
    button = next(w for w in journey.fresh()["widgets"] if w["text"] == "Abtastwerte")
    journey.click(middle(button["rect"]))
    journey.pause(0.8)
    shoot("sound_samples")


def node(journey: Journey, name: str) -> None:
    """Choose a layer on the canvas."""
    rect = journey.fresh()["nodes"][name]["rect"]
    journey.click((rect[0] + rect[2] // 2, rect[1] + 10))


def recurrent(journey: Journey, shoot: Shoot) -> None:
    """An LSTM walked by its time steps, and a cell of its memory opened at one of them."""
    node(journey, "lstm1")
    for _ in range(6):
        journey.key("shift+F6")
        journey.pause(0.4)
    journey.pause(1.5)
    shoot("time_steps")
    journey.key("F7")
    journey.wait(lambda now: now["step"] >= 1, "a step", 30)
    journey.key("ctrl+m")
    journey.pause(1.5)
    journey.key("Down", "Down", "Down", "Down")
    journey.pause(0.8)
    memory = next(m for m in journey.fresh()["lab"]["matrices"] if m["value"] == "lstm1.c24")
    journey.click(cell(memory, 1, 2))
    journey.pause(0.8)
    shoot("lab_recurrent")
    journey.key("Escape", "Escape")


def attention(journey: Journey, shoot: Shoot) -> None:
    """Who looks at whom in a text."""
    node(journey, "look")
    journey.key("F7")
    journey.wait(lambda now: now["step"] >= 1, "a step", 30)
    journey.pause(1.5)
    shoot("attention")


def warped(journey: Journey, shoot: Shoot) -> None:
    """Pictures turned by a matrix that the network learns."""
    node(journey, "turn")
    journey.key("space")
    journey.wait(lambda now: (now["accuracy"] or 0) >= 0.85, "turned digits", 120)
    journey.key("space")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    journey.pause(1.0)
    shoot("warped_maps")


def augmentation(journey: Journey, shoot: Shoot) -> None:
    """Trained without and with it from the same start."""
    palette(journey, "Variationslabor")
    journey.press(name="augment_compare")
    journey.pause(1.0)
    journey.wait(lambda now: not any(w["text"] == "Anhalten" for w in now["widgets"]), "both", 150)
    journey.pause(1.0)
    shoot("lab_augmentation")


def around(journey: Journey, shoot: Shoot) -> None:
    """The glossary, and the window before an audience."""
    journey.key("F7")
    palette(journey, "glossary")
    shoot("glossary")
    journey.key("Escape")
    journey.key("F11")
    journey.pause(1.5)
    shoot("presentation")


A = {1: "a_picture", 3: "a_color", 4: "a_sound", 6: "a_weights", 8: "a_folded"}
B = {2: "b_products", 3: "b_bias", 5: "b_activation", 8: "b_batch"}
C = {1: "c_rotate", 5: "c_homogeneous", 9: "c_augment", 10: "c_average", 11: "c_largest"}
D = {2: "d_count", 3: "d_devices", 7: "d_columns", 10: "d_everywhere"}
E = {1: "e_forward", 3: "e_loss", 4: "e_delta", 5: "e_softmax", 6: "e_weights", 9: "e_update"}

WALKS: dict[str, Walk] = {
    "a": Walk("", "en", "light", lesson("a_data", A, {})),
    "b": Walk("", "de", "dark", lesson("b_multiplication", B, {2: ("activations", 0, 0)})),
    "c": Walk("", "en", "dark", lesson("c_transformations", C, {})),
    "d": Walk("", "de", "light", lesson("d_parallel", D, {})),
    "e": Walk("", "en", "dark", lesson("e_backpropagation", E, {4: ("gradients", 1, 1)})),
    "labs": Walk("one_layer", "en", "light", labs),
    "convolution": Walk("fashion_cnn", "de", "dark", convolution),
    "devices": Walk("circle", "de", "dark", devices),
    "sound": Walk("tones_cnn", "de", "dark", sound),
    "recurrent": Walk("emma_lstm", "en", "dark", recurrent),
    "attention": Walk("emma_transformer", "de", "light", attention),
    "warped": Walk("digits_turned", "en", "light", warped),
    "augmentation": Walk("digits_cnn", "de", "light", augmentation),
    "around": Walk("circle", "en", "dark", around),
    "affine": Walk("fashion_mlp", "en", "dark", turned),
}


def shrink(path: Path) -> None:
    """Smaller, and with a palette of its own."""
    command = ["convert", str(path), "-resize", f"{WIDTH}x", "-colors", str(COLORS), f"PNG8:{path}"]
    subprocess.run(command, check=True, timeout=60)


def take(name: str, display: str, home: Path) -> None:
    """The pictures of one walk."""
    walk = WALKS[name]
    settings = {"language": walk.language, "theme": walk.theme, "device": "numpy"}
    file = SAMPLES / f"{walk.sample}.matrizen" if walk.sample else None
    journey = Journey(display, home, file, samples_dismissed="true", **settings)

    def shoot(picture: str) -> None:
        target = PICTURES / f"{picture}.png"
        journey.picture(target)
        shrink(target)
        print(target.relative_to(ROOT), flush=True)

    try:
        walk.act(journey, shoot)
    finally:
        journey.close()
