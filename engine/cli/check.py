"""`check`: whether a project file is sound, and what is wrong with it."""

from __future__ import annotations

import argparse

from engine.cli.common import open_project
from engine.errors import N_, ProjectError
from engine.inference import infer
from engine.layers import shape_text
from engine.project import Project
from engine.training import data_spec


def run(options: argparse.Namespace) -> int:
    """Print what the project holds; 0 when it can be trained, else 1 with the first problem."""
    project, dataset = open_project(options.project)
    facts = infer(project.graph, project.training, data_spec(dataset))
    for node in project.graph.nodes:
        shape = shape_text(facts.shapes[node.uid]) if node.uid in facts.shapes else "?"
        print(f"{node.name:20} {node.layer.kind:12} {shape:>16} {facts.count(node.uid):>10,}")
    print(
        f"{len(project.graph.nodes)} layers, {facts.parameter_count:,} weights; {dataset.n_train:,} training "
        f"and {dataset.n_test:,} test examples; step {project.run.step if project.run else 0}"
    )
    _check_state(project, facts.params)
    problems = [p for p in facts.problems if not p.warning]
    for p in facts.problems:
        name = project.graph.node(p.node).name if p.node else "network"
        print(f"{'warning' if p.warning else 'problem'}: {name}: {p.message}")
    if problems:
        raise ProjectError(
            N_("{file} cannot be trained: {problem}"), file=options.project, problem=str(problems[0].message)
        )
    return 0


def _check_state(project: Project, params: object) -> None:
    """Saved weights must fit the drawn network."""
    if project.run is None or not isinstance(params, dict):
        return
    expected = {f"{uid}.{s.name}": s.shape for uid, specs in params.items() for s in specs}
    found = {k: v.shape for k, v in project.run.state.items()}
    wrong = [
        f"{k}: {expected[k]} expected, {found[k]} found"
        for k in expected
        if k in found and expected[k] != found[k]
    ]
    missing = sorted(set(expected) - set(found))
    if wrong:
        raise ProjectError(N_("Saved weights do not fit the network: {list}."), list="; ".join(wrong)[:1000])
    if missing:
        print("warning: no saved weights for " + ", ".join(missing))
