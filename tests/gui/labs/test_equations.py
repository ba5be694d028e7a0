"""Every layer written as equations: what they say, and that their matrices fit together."""

from __future__ import annotations

import pytest

from engine.data.loading import load
from engine.program import record
from engine.project_file import load_project
from engine.run import data_spec
from engine.settings import DataSpec, TrainingSpec
from engine.values import Phase, Program
from gui.labs.equation import Equation, Factor, Style
from gui.labs.equations import SILENT, chain, equations, family
from gui.labs.pane import Sight, sheets_of
from tests.contract.networks import cnn, mlp, residual


def program_of(root, name: str, **changes: object):
    project = load_project(root / "resources" / "samples" / f"{name}.matrizen")
    data = load(project.source)
    training = project.training
    return record(project.graph, training, data_spec(data), "train", training.batch), project.graph


@pytest.fixture(scope="module")
def one_layer(root) -> tuple[Program, object]:
    return program_of(root, "one_layer")


def titles(found: list[Equation]) -> list[str]:
    return [e.title for e in found]


def test_one_layer_as_in_the_text(one_layer) -> None:
    program, graph = one_layer
    assert family(program, graph, "relu1") == family(program, graph, "layer1")
    found = equations(program, graph, "layer1")
    assert titles(found) == [
        r"Z = W \cdot X + b",
        r"A = \mathrm{ReLU}(Z)",
        r"L = \frac{1}{N} \sum (Y - A)^2",
        r"\partial L/\partial A = -\frac{2}{N} (Y - A)",
        r"\partial L/\partial Z = \partial L/\partial A \odot f'(Z)",
        r"\partial L/\partial W = \partial L/\partial Z \cdot X^T",
        r"\partial L/\partial b = \sum_k \partial L/\partial Z_{\cdot k}",
        r"\partial L/\partial X = W^T \cdot \partial L/\partial Z",
        r"W^{+} = W - \eta \, \partial L/\partial W",
        r"b^{+} = b - \eta \, \partial L/\partial b",
    ]


def test_samples_as_rows_turn_everything(one_layer) -> None:
    program, graph = one_layer
    found = equations(program, graph, "layer1", Style(rows=True))
    assert found[0].title == r"Z = X \cdot W^T + b"
    assert found[7].title == r"\partial L/\partial X = \partial L/\partial Z \cdot W"


def test_the_bias_folded_into_w(one_layer) -> None:
    program, graph = one_layer
    found = equations(program, graph, "layer1", Style(folded=True))
    assert found[0].title == r"Z = (W \mid b) \cdot \binom{X}{1}"
    assert not any("sum_k" in title for title in titles(found))
    assert found[0].factors[0].extra == "layer1.bias@old" and found[0].factors[1].ones


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("sample", ["one_layer", "circle", "digits_cnn", "fashion_mlp"])
def test_the_shapes_of_products_fit(root, sample: str, rows: bool, folded: bool) -> None:
    program, graph = program_of(root, sample)
    products = 0
    for node in graph.nodes:
        for equation in equations(program, graph, node.uid, Style(rows, folded)):
            sheets = sheets_of(equation, program, 6, Sight())
            assert len(sheets) == len(equation.factors)
            if equation.product:
                products += 1
                a, b, *_, out = [s.shape for s in sheets]
                assert a[1] == b[0] and out == (a[0], b[1]), equation.title
    assert products >= 3


@pytest.mark.parametrize("build", [mlp, cnn, residual])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_every_op_of_a_network_is_in_some_equation(build, optimizer: str) -> None:
    graph = build()
    shape = graph.nodes[0].layer.shape
    program = record(graph, TrainingSpec(optimizer=optimizer), DataSpec(shape, classes=10), "train", 6)
    told = set()
    for node in graph.nodes:
        for equation in equations(program, graph, node.uid):
            told.add(equation.op)
            for sheet in sheets_of(equation, program, 6, Sight()):
                assert min(sheet.shape) >= 1
    missing = {i for i, op in enumerate(program.ops) if op.kind not in SILENT} - told
    assert {program.ops[i].kind for i in missing} == set()


def test_a_gradient_goes_back_to_the_loss(one_layer) -> None:
    program, _ = one_layer
    gradient = program.gradients["layer1.weight@old"].id
    way = [program.ops[at].kind for _, at in chain(program, gradient)]
    assert way == ["dense_dw", "relu_grad", "mse_grad"]


def test_signs_stand_between_the_matrices(root) -> None:
    program, graph = program_of(root, "digits_cnn")
    for node in graph.nodes:
        for equation in equations(program, graph, node.uid):
            assert isinstance(equation.parts[-1], Factor) and equation.title
            assert equation.phase is not Phase.CLIP
