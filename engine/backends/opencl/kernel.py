"""One launch as data, and its source: a template from kernels/ with its tunables filled in."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from engine.backends.opencl.runtime import Device
from engine.plan import padded_lanes

FOLDER = Path(__file__).parent / "kernels"

RARE = re.compile(r"\b(log1p|expm1|erf|sin|cos|softplus|phi)_(float|vf|pf)\b")
"""What kernels/functions.cl has: it is compiled only where it is called."""

C_TYPES = {"f32": "float", "i32": "int", "u8": "uchar"}


@cache
def template(name: str) -> str:
    """The text of kernels/<name>.cl."""
    return (FOLDER / f"{name}.cl").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Target:
    """What kernels are shaped for: register widths, and whether many small work-items are wanted."""

    cpu: bool
    lanes: int
    """Padded capacity: the length of a row of samples."""
    vw: int
    pw: int
    units: int

    @classmethod
    def of(cls, device: Device, capacity: int) -> Target:
        """The shape for a device and a batch capacity."""
        lanes = padded_lanes(capacity)
        width = int(device.handle.native_vector_width_float)
        width = max(w for w in (4, 8, 16) if w <= max(width, 4)) if device.cpu else 1
        units = int(device.handle.max_compute_units)
        return cls(device.cpu, lanes, 1 if lanes == 1 else width, width if device.cpu else 4, units)

    def lane_tile(self, most: int) -> int:
        """Registers of lanes a work-item takes: at most `most`, dividing the row."""
        registers = self.lanes // self.vw
        return max(t for t in range(1, most + 1) if registers % t == 0) if self.cpu else 1


@dataclass(frozen=True)
class Pointer:
    """An argument of a kernel: C name, what it points to, and how it is used."""

    name: str
    value: str
    """Id of a value or of a scratch array of the launch."""
    write: bool = False
    restrict: bool = True
    dtype: str = "f32"


@dataclass
class Launch:
    """One enqueue: template, its #defines, its pointers and the global size."""

    template: str
    defines: dict[str, object]
    pointers: list[Pointer]
    size: tuple[int, ...]
    controls: bool = False
    """Whether the kernel reads the controls of the step."""
    covers: tuple[int, ...] = ()
    """Indices of the program's ops the launch, with others of its group, computes."""
    local: tuple[int, ...] | None = None

    def reads(self) -> set[str]:
        return {p.value for p in self.pointers if not p.write}

    def writes(self) -> set[str]:
        return {p.value for p in self.pointers if p.write}


def merged(pointers: Sequence[Pointer]) -> list[Pointer]:
    """The pointers without repetitions of a name; written beats read."""
    found: dict[str, Pointer] = {}
    for p in pointers:
        if p.name not in found or (p.write and not found[p.name].write):
            found[p.name] = p
    return list(found.values())


Call = tuple[Launch, str, list[str]]
"""Launch, its function, what the function is given."""
Memory = Callable[[str], Hashable]
"""The buffer of a value or scratch id, as something to compare."""


@dataclass
class Source:
    """The text of one program for all kernels of a plan; equal work is written once."""

    target: Target
    control_count: int
    parts: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def add(
        self, launches: Sequence[Launch], offsets: Mapping[str, int], memory: Memory, spread: int = 0
    ) -> tuple[str, list[str]]:
        """A kernel that does these launches side by side: its name, and the ids of its pointers in order.

        Behind the pointers come controls and step_row if any launch reads them. `offsets` in elements by
        value id; `memory` says which ids share a buffer: each buffer is one argument. With `spread` 0 a
        single launch keeps its global size; else work-items are numbered in one dimension (`items` of them),
        and above 1 only every spread-th has work.
        """
        calls, declared, ids = self._calls(launches, offsets, memory)
        if any(launch.controls for launch in launches):
            declared += CONTROL_ARGUMENTS
        if spread == 0:
            _, function, passed = calls[0]
            numbers = [f"get_global_id({d})" for d in range(3)]
            body = f"    {function}({', '.join([*passed, *numbers])});\n"
        else:
            body = "    int id = get_global_id(0);\n"
            if spread > 1:
                body += f"    if (id % {spread} != 0) return;\n    id /= {spread};\n"
            for launch, function, passed in calls:
                count = math.prod(launch.size)
                call = f"{function}({', '.join([*passed, *_ids(launch)])});"
                body += f"    if (id < {count}) {{\n        {call}\n        return;\n    }}\n"
                body += f"    id -= {count};\n"
        name = "_".join(dict.fromkeys(launch.template for launch in launches))
        return self._kernel(name, declared, body), ids

    def add_whole(
        self, launches: Sequence[Launch], offsets: Mapping[str, int], memory: Memory
    ) -> tuple[str, list[str]]:
        """A kernel that runs whole steps, all launches one after the other in one work-item.

        For networks so small that a launch costs more than its work. Behind the pointers come controls, the
        first row of the table and the number of steps.
        """
        calls, declared, ids = self._calls(launches, offsets, memory)
        body = "    for (int step_row = first_row; step_row < first_row + steps; step_row++) {\n"
        for launch, function, passed in calls:
            call = f"{function}({', '.join([*passed, *_ids(launch)])});"
            body += f"        for (int id = 0; id < {math.prod(launch.size)}; id++) {call}\n"
        declared += [CONTROL_ARGUMENTS[0], "const int first_row", "const int steps"]
        return self._kernel("whole_steps", declared, body + "    }\n"), ids

    def _calls(
        self, launches: Sequence[Launch], offsets: Mapping[str, int], memory: Memory
    ) -> tuple[list[Call], list[str], list[str]]:
        """What to call with which arguments; declarations and ids of one pointer per buffer."""
        calls: list[Call] = []
        names: dict[Hashable, str] = {}
        ids: list[str] = []
        for launch in launches:
            function = self._function(launch, offsets)
            passed = []
            for p in merged(launch.pointers):
                place = memory(p.value)
                if place not in names:
                    names[place] = f"m{len(names)}"
                    ids.append(p.value)
                passed.append(names[place])
            calls.append(
                (launch, function, [*passed, *(["controls", "step_row"] if launch.controls else [])])
            )
        return calls, [f"__global void *{name}" for name in names.values()], ids

    def _kernel(self, name: str, declared: Sequence[str], body: str) -> str:
        text = f"({', '.join(declared)}) {{\n{body}}}\n"
        if text not in self.names:
            self.names[text] = _named("k", text, name)
            self.parts.append(f"__kernel void {self.names[text]}{text}")
        return self.names[text]

    def text(self) -> str:
        head = {
            "VW": self.target.vw,
            "PW": self.target.pw,
            "LANES": self.target.lanes,
            "CONTROL_COUNT": max(self.control_count, 1),
        }
        defines = "".join(f"#define {k} {v}\n" for k, v in head.items())
        body = "".join(self.parts)
        rare = template("functions") if RARE.search(body) else ""
        return defines + template("prelude") + rare + body

    def _function(self, launch: Launch, offsets: Mapping[str, int]) -> str:
        body = self._text(launch, offsets)
        if body not in self.names:
            self.names[body] = _named("f", body, launch.template)
            self.parts.append(f"#define NAME {self.names[body]}\n{body}#undef NAME\n")
        return self.names[body]

    @staticmethod
    def _text(launch: Launch, offsets: Mapping[str, int]) -> str:
        pointers = merged(launch.pointers)
        arguments = [f"__global {_c_type(p)} *{p.name}_" for p in pointers]
        values = [p.name for p in pointers]
        typed = [f"__global {_c_type(p)} *{'restrict ' if p.restrict else ''}{p.name}" for p in pointers]
        local = [
            f"{t} = {p.name}_ + {offsets.get(p.value, 0)};" for t, p in zip(typed, pointers, strict=True)
        ]
        if launch.controls:
            arguments += CONTROL_ARGUMENTS
            typed += CONTROL_ARGUMENTS
            values += ["controls", "step_row"]
        defines = {
            **launch.defines,
            "ARGUMENTS": ", ".join([*arguments, "const int id0", "const int id1", "const int id2"]),
            "POINTERS": " ".join(local),
            "POINTER_ARGUMENTS": "".join(t + ", " for t in typed),
            "POINTER_VALUES": "".join(v + ", " for v in values),
        }
        lines = [f"#define {k} {v}" for k, v in defines.items()]
        undefines = [f"#undef {k.partition('(')[0]}" for k in defines]
        return "\n".join([*lines, template(launch.template), *undefines, ""])


def _named(letter: str, text: str, name: str) -> str:
    """A C name that says what is in it: equal code has the same name in every program."""
    return f"{letter}{hashlib.sha256(text.encode()).hexdigest()[:12]}_{name}"[:80]


def items(launches: Sequence[Launch]) -> int:
    """Work-items of launches side by side."""
    return sum(math.prod(launch.size) for launch in launches)


CONTROL_ARGUMENTS = ["__global const float *restrict controls", "const int step_row"]


def _ids(launch: Launch) -> list[str]:
    """The three numbers of a work-item from its number `id`."""
    s0, s1, _ = (*launch.size, 1, 1)[:3]
    return [f"id % {s0}", f"id / {s0} % {s1}", f"id / {s0 * s1}"]


def _c_type(p: Pointer) -> str:
    return ("" if p.write else "const ") + C_TYPES[p.dtype]


def side_by_side(launches: Sequence[Launch], places: Memory) -> list[list[Launch]]:
    """Launches in as few rounds as their data allow: those of one round do not depend on each other.

    `places` gives the memory a value or scratch array lives in. A launch comes after every earlier one
    that writes what it touches or reads what it writes.
    """
    written: dict[Hashable, int] = {}
    touched: dict[Hashable, int] = {}
    rounds: list[list[Launch]] = []
    for launch in launches:
        reads = {places(v) for v in launch.reads()}
        writes = {places(v) for v in launch.writes()}
        at = max([written.get(m, -1) for m in reads | writes] + [touched.get(m, -1) for m in writes]) + 1
        for m in writes:
            written[m] = at
        for m in reads | writes:
            touched[m] = max(touched.get(m, -1), at)
        if at == len(rounds):
            rounds.append([])
        rounds[at].append(launch)
    return rounds
