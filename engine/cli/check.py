"""`check`: whether a project file is sound, and what is wrong with it."""

from __future__ import annotations

import argparse

from engine.cli.common import open_project, say
from engine.errors import N_, ProjectError, listed
from engine.inference import infer
from engine.layers import shape_text
from engine.project_weights import misfits
from engine.run import data_spec


def run(options: argparse.Namespace) -> int:
    """Print what the project holds; 0 when it can be trained, else 1 with the first problem."""
    project, dataset, notes = open_project(options.project)
    facts = infer(project.graph, project.training, data_spec(dataset))
    for node in project.graph.nodes:
        shape = shape_text(facts.shapes[node.uid]) if node.uid in facts.shapes else "?"
        print(f"{node.name:20} {node.layer.kind:12} {shape:>16} {facts.count(node.uid):>10,}")
    print(
        f"{len(project.graph.nodes)} layers, {facts.parameter_count:,} weights; {dataset.n_train:,} training "
        f"and {dataset.n_test:,} test examples; step {project.run.step if project.run else 0}"
    )
    problems = [p for p in facts.problems if not p.warning]
    wrong = misfits(project.graph, project.run.state) if project.run else []
    for p in facts.problems:
        name = project.graph.node(p.node).name if p.node else "network"
        print(f"{'warning' if p.warning else 'problem'}: {name}: {p.message}")
    if problems:
        raise ProjectError(
            N_("{file} cannot be trained: {problem}"), file=options.project, problem=problems[0].message
        )
    if wrong:
        raise ProjectError(
            N_("{file}: saved weights do not fit the network: {list}."),
            file=options.project,
            list=listed(wrong),
        )
    say(notes)
    return 0
