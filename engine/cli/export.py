"""`export`: a project's trained weights as `.npz`, and scripts that go on with them in other frameworks."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli.common import load_data, say
from engine.errors import N_, DataError, Message, ProjectError
from engine.export.npz import export_npz
from engine.export.scripts import export_script
from engine.project_file import load_project


def run(options: argparse.Namespace) -> int:
    """Write the file; 0. Weights can be had without the data; class names and normalization cannot."""
    project = load_project(options.project)
    if project.run is None:
        raise ProjectError(
            N_("{file} has no trained weights yet; train it first: train {file} --save {file}"),
            file=options.project,
        )
    dataset, notes = None, list(project.messages)
    if project.source is not None:
        try:
            dataset, told = load_data(project, options.project)
            notes += told
        except DataError as problem:
            text = N_("The file will not tell class names and normalization: {problem}")
            notes.append(Message(text, {"problem": problem.message}))
    out, graph, state, step = Path(options.out), project.graph, project.run.state, project.run.step
    paths = [export_npz(out, graph, state, dataset, step)]
    for framework in options.script or ():
        script = out.with_name(f"{out.stem}_{framework}.py")
        written = export_script(script, framework, graph, state, dataset, step, out)
        paths += [written[0], written[2]]
    say(notes)
    for path in paths:
        print(path)
    return 0
