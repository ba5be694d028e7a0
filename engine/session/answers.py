"""Commands that ask for something: cells edited or opened, predictions, exports, devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from engine.as_matrix import named
from engine.augment_trial import AugmentTrial
from engine.backends import devices
from engine.errors import N_, GraphError, MatrizenError
from engine.explain import explain
from engine.export.numpy_proof import prove
from engine.gradient_check import check_layer
from engine.locks import lock_key, locked_at
from engine.optimizer_race import OptimizerRace
from engine.outputs import seen_by
from engine.session import protocol as p
from engine.session.building import Builder, as_seen, with_few_examples
from engine.session.jobs import Jobs
from engine.session.motion import Motion
from engine.text_writing import write_on
from engine.training import Trainer
from engine.values import Role
from engine.xray import xray


class Answers:
    """Answers by `Reply`; MatrizenErrors are left to the session."""

    def __init__(self, emit: Callable[[p.Event], None], motion: Motion, builder: Builder,
                 run_state: Callable[[int], p.RunState], jobs: Jobs) -> None:
        self._emit, self._motion, self._builder, self._run_state = emit, motion, builder, run_state
        self._jobs = jobs
        self._finding: threading.Thread | None = None

    def answer(self, command: p.Command, t: Trainer) -> None:
        """One of EditCells, LockCells, EditInput, Predict, Explain, Read, Export, CheckpointNow, XRayOf,
        or a job."""
        reply = self._emit
        match command:
            case p.EditCells():
                old = self._edit(command, t)
                if command.id:
                    reply(p.Reply(command.id, old))
            case p.LockCells():
                reply(p.Reply(command.id, self._lock(command, t)))
            case p.EditInput():
                reply(p.Reply(command.id, self._edit_input(command, t)))
            case p.Predict():
                reply(p.Reply(command.id, self._predict(command, t)))
            case p.Explain():
                self._motion.show()
                found = explain(t, command.value, tuple(command.cell))
                terms = found.terms.shortened() if found.terms is not None else None
                reply(p.Reply(command.id, replace(found, step=self._motion.shown_step, terms=terms)))
            case p.Read() if (form := named(t.program, command.value)) is not None:
                self._motion.show()
                reply(p.Reply(command.id, form[0].whole(form[1], t.read)))
            case p.Read():
                if command.value not in t.program.values:
                    raise _no_value(command.value)
                self._motion.show()
                reply(p.Reply(command.id, t.read(command.value)))
            case p.Export():
                run = self._run_state(0)
                reply(p.Reply(command.id, p.ExportData(run, with_few_examples(t.dataset))))
            case p.CheckpointNow():
                reply(p.Reply(command.id, self._run_state(self._motion.history.cap)))
            case p.XRayOf():
                self._motion.show()
                reply(p.Reply(command.id, xray(t, command.key)))
            case p.CheckGradient():
                self._motion.show()
                self._jobs.start(command.id, check_layer(t, command.node, command.values, command.h))
            case p.RaceOptimizers():
                race = OptimizerRace(t, command.watched, command.steps, command.rates)
                self._jobs.start(command.id, race)
            case p.TryAugment():
                self._jobs.start(command.id, AugmentTrial(t, command.layer, command.epochs, command.seed))
            case p.ProofOf():
                self._motion.show()
                reply(p.Reply(command.id, prove(t, command.node)))
            case p.WriteText():
                wanted = (command.text, command.count, command.temperature, command.seed)
                reply(p.Reply(command.id, write_on(t, *wanted)))
            case _:
                raise TypeError(f"not a command: {command!r}")

    def _edit(self, command: p.EditCells, t: Trainer) -> p.Array:
        state = t.store.state()
        values = np.asarray(command.values, np.float32).ravel()
        array, where = _cells_of(state, command.key, command.cells)
        if len(values) != len(where[0]):
            raise _outside(command.key, array.shape)
        if not np.isfinite(values).all():
            raise GraphError(N_("Only finite numbers can be written into {value}."), value=command.key)
        locked = locked_at(state, command.key, where)
        if locked.all() and len(locked):
            raise GraphError(N_("{value} is locked there. Unlock it to write another number."),
                             value=command.key)
        old = np.asarray(array[where])
        array[where] = np.where(locked, old, values)
        self._motion.stop_showing(t)
        t.write_state({command.key: array})
        self._builder.rescue.keep(t)
        self._motion.edited(t)
        return old

    def _lock(self, command: p.LockCells, t: Trainer) -> p.Array:
        if all(f"{v.owner}.{v.param}" != command.key for v in t.program.inputs if v.role is Role.PARAM):
            raise _no_value(command.key)
        state = t.store.state()
        wanted = np.asarray(command.locked, np.bool_).ravel()
        shape = state[command.key].shape
        mask = state.get(lock_key(command.key), np.zeros(shape, np.float32)) != 0
        if command.cells is None:
            where: tuple[p.Array, ...] = ()
            count = mask.size
        else:
            _, where = _cells_of(state, command.key, command.cells)
            count = len(where[0])
        if len(wanted) not in (1, count):
            raise _outside(command.key, shape)
        wanted = np.broadcast_to(wanted, (count,))
        old = np.array(mask[where] if where else mask.ravel())
        if (old == wanted).all():
            return old
        if where:
            mask[where] = wanted
        else:
            mask = wanted.reshape(shape)
        self._motion.stop_showing(t)
        t.lock({command.key: mask})
        self._builder.rescue.keep(t)
        self._motion.edited(t)
        return old

    def _edit_input(self, command: p.EditInput, t: Trainer) -> p.Array:
        value = t.program.values.get(command.value)
        made = t.program.producers.get(command.value)
        if value is None or made is None or t.program.ops[made].kind != "gather" or value.dtype != "f32":
            raise GraphError(N_("{value} is no input of this network."), value=command.value)
        self._motion.show()
        shape = t.read(command.value).shape
        cells = np.asarray(command.cells, np.intp).reshape(-1, len(shape))
        values = np.asarray(command.values, np.float32).ravel()
        inside = (cells >= 0).all() and (cells < np.array(shape)).all()
        if not inside or len(values) != len(cells):
            raise GraphError(N_("{value} has the shape {shape}; cells outside it cannot be written."),
                             value=command.value, shape=shape)
        if not np.isfinite(values).all():
            raise GraphError(N_("Only finite numbers can be written into {value}."), value=command.value)
        return self._motion.look_with(command.value, tuple(cells.T), values)

    def _predict(self, command: p.Predict, t: Trainer) -> p.Prediction:
        x = as_seen(t.dataset, np.asarray(command.arrays))
        if x.shape[1:] != t.dataset.shape or not len(x):
            raise GraphError(N_("The network takes inputs of {expected}, not {found}."),
                             expected=t.dataset.shape, found=x.shape[1:])
        program = t.predict_program(1)
        output = t.output_value(program).id
        if command.keep == ("*",):
            keep = [v.id for v in program.values.values() if v.batched]
        else:
            keep = [k for k in command.keep if k in program.values]
        pairs = [program.outputs[u].id for end in t.forward.copies for u in (end.uid, seen_by(t.graph, end))]
        values = t.predict(x, keep=tuple(dict.fromkeys([output, *keep, *pairs])))
        shares = t.probabilities(values[output]) if t.classifies else None
        return p.Prediction(values, output, shares, t.forward.made(program, values.__getitem__))

    def find_devices(self, fresh: bool) -> None:
        """Look for devices beside the loop; a search that runs is not started again."""
        if self._finding is None or not self._finding.is_alive():
            self._finding = threading.Thread(target=self._find, args=(fresh,), daemon=True, name="devices")
            self._finding.start()

    def _find(self, fresh: bool) -> None:
        emit, builder = self._emit, self._builder
        try:
            if fresh:
                builder.failed.clear()
            else:
                emit(p.Devices(self._with_failures(devices.list_devices(test=False))))
            found = self._with_failures(devices.list_devices(test=True, fresh=fresh))
            best = devices.choose("auto", list(found))
            builder.found_best(best)
            emit(p.Devices(found, best.id if best.id != builder.device else "", True))
        except MatrizenError:
            emit(p.Devices((devices.numpy_device(),), "", True))
        except OSError:
            return  # the window is gone, and the process with it

    def _with_failures(self, found: list[devices.DeviceInfo]) -> tuple[devices.DeviceInfo, ...]:
        """Devices that failed while they computed are not offered until they are tested again."""
        failed = self._builder.failed
        return tuple(replace(d, verdict="refused", reason=failed[d.id]) if d.id in failed else d
                     for d in found)


def _cells_of(state: Mapping[str, p.Array], key: str, cells: p.Array) -> tuple[p.Array, tuple[p.Array, ...]]:
    """The array of a parameter and an index of cells of it. Raises GraphError."""
    if key not in state:
        raise _no_value(key)
    array = state[key]
    where = np.asarray(cells, np.intp).reshape(-1, array.ndim)
    if (where < 0).any() or (where >= np.array(array.shape)).any():
        raise _outside(key, array.shape)
    return array, tuple(where.T)


def _outside(key: str, shape: tuple[int, ...]) -> GraphError:
    return GraphError(N_("{value} has the shape {shape}; cells outside it cannot be written."),
                      value=key, shape=shape)


def _no_value(name: str) -> GraphError:
    return GraphError(N_("There is no value “{value}” in this network."), value=name)
