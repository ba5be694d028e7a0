"""`proof`: one step of a project as a script in plain NumPy, with the files it loads."""

from __future__ import annotations

import argparse

from engine.backends.opening import open_backend
from engine.cli.common import make_trainer, open_project, say
from engine.errors import N_, TrainingError
from engine.export.numpy_proof import prove, write_proof
from engine.values import Role


def run(options: argparse.Namespace) -> int:
    """Train on to the step that is asked for (the next one without), write its script; 0."""
    project, dataset, notes = open_project(options.project)
    trainer = make_trainer(project, dataset, open_backend("numpy"))
    wanted = trainer.step + 1 if options.step is None else options.step
    if wanted <= trainer.step:
        raise TrainingError(
            N_("{file} stands at step {step}; a step before that cannot be written out."),
            file=options.project,
            step=trainer.step,
        )
    while trainer.step < wanted - 1:
        if trainer.run(wanted - 1 - trainer.step).stopped is not None:
            raise TrainingError(N_("The numbers run away at step {step}."), step=trainer.step + 1)
    trainer.begin_step()
    trainer.advance(len(trainer.program.ops))
    name = options.layer or next(
        (v.owner for v in trainer.program.inputs if v.role is Role.PARAM), trainer.graph.nodes[-1].uid
    )
    node = next((n.uid for n in trainer.graph.nodes if name in (n.name, n.uid)), name)
    paths = write_proof(options.out, prove(trainer, node))
    say(notes)
    for path in paths:
        print(path)
    return 0
