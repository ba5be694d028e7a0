"""`export`: a project's trained weights as `.npz`."""

from __future__ import annotations

import argparse

from engine.cli.common import open_project
from engine.errors import N_, ProjectError
from engine.export.npz import export_npz


def run(options: argparse.Namespace) -> int:
    """Write the file; 0."""
    project, dataset = open_project(options.project)
    if project.run is None:
        raise ProjectError(
            N_("{file} has no trained weights yet; train it first: train {file} --save {file}"),
            file=options.project,
        )
    path = export_npz(options.out, project.graph, project.run.state, dataset, project.run.step)
    print(path)
    return 0
