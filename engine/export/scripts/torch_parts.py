"""The network in PyTorch. Sequences are N x F x T and pictures N x C x H x W, as in the files."""

from __future__ import annotations

from typing import Any

from engine.export.scripts.walk import OWN_NAMES, Framework, Part, Place, Walked
from engine.export.scripts.writers import (
    augment,
    average,
    between,
    crop,
    features,
    line,
    maximum,
    more,
    numbers,
    one_position,
    split,
)
from engine.layers.permute import AXES


def _dense(p: Place) -> Part:
    bias = "" if p.at.bias else ", bias=False"
    made = f"nn.Linear({p.width}, {p.at.units}{bias})"
    return Part(f"self.{p.owner}({p.x}.mT).mT" if p.rank == 2 else f"self.{p.owner}({p.x})", made)


def _padded(p: Place, x: str, value: str = "") -> str:
    top, left, bottom, right = p.at.padding
    return f"F.pad({x}, ({left}, {right}, {top}, {bottom}){value})"


def _conv2d(p: Place) -> Part:
    top, left, bottom, right = p.at.padding
    even = (top, left) == (bottom, right)
    facts = f"{p.width}, {p.at.filters}, {p.at.kernel}, stride={p.at.stride}"
    facts += f", padding={(top, left)}" if even and (top or left) else ""
    facts += more(p, "dilation", "groups") + ("" if p.at.bias else ", bias=False")
    return Part(f"self.{p.owner}({p.x if even else _padded(p, p.x)})", f"nn.Conv2d({facts})")


def _conv1d(p: Place) -> Part:
    before, after = p.at.padding
    facts = f"{p.width}, {p.at.filters}, {p.at.kernel}, stride={p.at.stride}{more(p, 'dilation', 'groups')}"
    facts += "" if p.at.bias else ", bias=False"
    x = f"F.pad({p.x}, ({before}, {after}))" if before or after else p.x
    return Part(f"self.{p.owner}({x})", f"nn.Conv1d({facts})")


def _conv_transpose2d(p: Place) -> Part:
    (top, left, _, _), (_, h, w) = p.at.padding, p.shape
    facts = f"{p.width}, {p.at.filters}, {p.at.kernel}, stride={p.at.stride}{more(p, 'dilation', 'groups')}"
    facts += f", output_padding={p.at.output_padding}" if any(p.at.output_padding) else ""
    facts += "" if p.at.bias else ", bias=False"
    cut = f"[:, :, {top}:{top + h}, {left}:{left + w}]" if any(p.at.padding) else ""
    return Part(f"self.{p.owner}({p.x}){cut}", f"nn.ConvTranspose2d({facts})")


def _recurrent(name: str) -> Any:
    def write(p: Place) -> Part:
        how = f", nonlinearity={p.at.activation!r}" if name == "RNN" else ""
        made = f"nn.{name}({p.width}, {p.at.units}, batch_first=True{how})"
        end = ".mT" if p.at.states == "all" else "[:, -1]"
        return Part(f"self.{p.owner}({p.x}.mT)[0]{end}", made)

    return write


def _group_norm(p: Place) -> Part:
    affine = "" if p.at.affine else ", affine=False"
    made = f"nn.GroupNorm({p.at.groups}, {p.width}, eps={p.at.epsilon}{affine})"
    return Part(f"self.{p.owner}({p.x})", made)


def _pool(function: str, value: str) -> Any:
    def write(p: Place) -> Part:
        x = _padded(p, p.x, value) if any(p.at.padding) else p.x
        return Part(f"F.{function}({x}, {p.at.kernel}, {p.at.stride})")

    return write


def _permute(p: Place) -> Part:
    """Contiguous: of a permuted view PyTorch 2.13 computes wrong gradients in some networks."""
    order = ", ".join(str(a + 1) for a in AXES[p.at.order])
    return Part(f"{p.x}.permute(0, {order}).contiguous()")


def _sides(p: Place) -> Part:
    top, left, bottom, right = p.at.sides
    return Part(f"F.pad({p.x}, ({left}, {right}, {top}, {bottom}))")


def _batch_norm(p: Place) -> Part:
    kind = "BatchNorm2d" if p.rank == 3 else "BatchNorm1d"
    facts = f"{p.width}, eps={p.at.epsilon}, momentum={p.at.momentum}"
    return Part(f"self.{p.owner}({p.x})", f"nn.{kind}({facts})")


def _layer_norm(p: Place) -> Part:
    made = f"nn.LayerNorm({p.width}, eps={p.at.epsilon})"
    if p.rank == 1:
        return Part(f"self.{p.owner}({p.x})", made)
    return Part(f"self.{p.owner}({p.x}.movedim(1, -1)).movedim(-1, 1)", made)


def _affine_warp(p: Place) -> Part:
    if p.at.trained:
        return Part(f"self.{p.owner}({p.x})", f"AffineWarp({p.at.border!r})")
    return Part(f"warp({p.x}, {p.x}.new_tensor({numbers(p.at.theta)}), {p.at.border!r})")


def _transformer(p: Place) -> Part:
    _, h, w = p.shapes[0]
    return Part(f"warp({p.x}, in_pixels({p.ins[1]}, {h}, {w}, {p.at.identity}), {p.at.border!r})")


def _positions(p: Place) -> Part:
    features, length = p.shapes[0]
    return Part(f"self.{p.owner}({p.x})", f"Positions({features}, {length}, {p.at.table == 'learned'})")


def _attention(p: Place) -> Part:
    made = f"nn.MultiheadAttention({p.width}, {p.at.heads}, batch_first=True)"
    return Part(f"attend(self.{p.owner}, {p.x}, {p.at.causal})", made)


def _layout(found: Walked) -> list[str]:
    made = [f"        self.{name} = {part.made}" for name, part in found.made]
    return [
        "class Network(nn.Module):",
        '    """The layers as they were drawn."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        *made,
        "",
        "    def forward(self, x):",
        *(f"        {text}" for text in found.lines),
        f"        return {found.result}",
        "",
        "",
        "net = Network()",
        'own = [k for k in net.state_dict() if not k.endswith("num_batches_tracked")]',
        "net.load_state_dict({k: torch.from_numpy(weights[k]) for k in own}, strict=False)",
        "",
        "",
        "def predict(x):",
        '    """The network\'s outputs for inputs as it sees them."""',
        "    net.eval()",
        "    with torch.no_grad():",
        "        return [y.numpy() for y in net(torch.from_numpy(x))]" if found.several
        else "        return net(torch.from_numpy(x)).numpy()",
    ]


HELPERS = {
    "noise": '''
def noise(x, sigma, training):
    """Normal numbers are added while training."""
    return x + sigma * torch.randn_like(x) if training else x
''',
    "step": '''
def step(z):
    """1 above 0, else 0; on the way back the slope is max(0, 1 - |z|)."""
    inside = z.clamp(-1, 1)
    stand_in = inside - inside * inside.abs() / 2
    return (z > 0).to(z) + (stand_in - stand_in.detach())
''',
    "largest": '''
def largest(a, b):
    """The larger of two, cell by cell; of equal ones the first gets the gradient."""
    return torch.where(b > a, b, a)
''',
    "attend": '''
def attend(layer, x, causal):
    """Self-attention over positions; only back, if causal."""
    x = x.mT
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if causal else None
    return layer(x, x, x, attn_mask=later, need_weights=False)[0].mT
''',
    "warp": '''
def warp(x, theta, border):
    """Each pixel read at the inverse of a matrix a, b, tx, c, d, ty about the center, in pixels."""
    height, width = x.shape[2:]
    a, b, tx, c, d, ty = theta.reshape(-1, 6, 1, 1).unbind(1)
    row = torch.arange(height).to(x)[:, None] - (height - 1) / 2 - ty
    column = torch.arange(width).to(x) - (width - 1) / 2 - tx
    det = a * d - b * c
    px, py = (d * column - b * row) / det, (a * row - c * column) / det
    if border == "reflect":  # about the outermost pixels' centers
        grid = torch.stack((px * 2 / max(width - 1, 1), py * 2 / max(height - 1, 1)), -1)
    else:
        grid = torch.stack((px * 2 / width, py * 2 / height), -1)
    mode = {"zero": "zeros", "edge": "border", "reflect": "reflection"}[border]
    grid = grid.expand(len(x), -1, -1, -1)
    return F.grid_sample(x, grid, padding_mode=mode, align_corners=border == "reflect")
''',
    "in_pixels": '''
def in_pixels(theta, height, width, identity):
    """Six numbers of each example, their shifts in halves of the picture; from the identity if so."""
    unit = theta.new_tensor([1, 1, width / 2, 1, 1, height / 2])
    start = theta.new_tensor([1, 0, 0, 0, 1, 0]) if identity else 0
    return (theta + start) * unit
''',
    "AffineWarp": '''
class AffineWarp(nn.Module):
    """A warp by a matrix that is learnt."""

    def __init__(self, border):
        super().__init__()
        self.weight, self.border = nn.Parameter(torch.eye(2, 3)), border

    def forward(self, x):
        return warp(x, self.weight, self.border)
''',
    "Positions": '''
class Positions(nn.Module):
    """A vector of its own is added to each position."""

    def __init__(self, features, length, learned):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features, length), requires_grad=learned)

    def forward(self, x):
        return x + self.weight
''',
}

_OF_MODULES = frozenset({
    "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile",
    "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer",
    "get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules",
    "mtia", "named_buffers", "named_children", "named_modules", "named_parameters", "parameters",
    "register_backward_hook", "register_buffer", "register_forward_hook", "register_forward_pre_hook",
    "register_full_backward_hook", "register_full_backward_pre_hook", "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook", "register_module", "register_parameter",
    "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "set_extra_state",
    "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train", "training", "type", "xpu",
    "zero_grad",
})  # fmt: skip

TORCH = Framework(
    word="torch",
    name="PyTorch",
    imports=("import torch", "from torch import nn", "from torch.nn import functional as F"),
    how=("`net` is an nn.Module: train it on as any other.",),
    parts={
        "input": lambda p: Part("x"),
        "dense": _dense,
        "conv2d": _conv2d,
        "conv1d": _conv1d,
        "conv_transpose2d": _conv_transpose2d,
        "relu": line("F.relu({x})"),
        "leaky_relu": line("F.leaky_relu({x}, {at.slope})"),
        "prelu": lambda p: Part(f"self.{p.owner}({p.x})", f"nn.PReLU({p.width})"),
        "elu": line("F.elu({x}, {at.alpha})"),
        "selu": line("F.selu({x})"),
        "gelu": lambda p: Part(f"F.gelu({p.x}, approximate={'none' if p.at.form == 'exact' else 'tanh'!r})"),
        "silu": line("F.silu({x})"),
        "mish": line("F.mish({x})"),
        "sigmoid": line("torch.sigmoid({x})"),
        "hard_sigmoid": line("F.hardsigmoid({x})"),
        "tanh": line("torch.tanh({x})"),
        "softplus": line("F.softplus({x})"),
        "softsign": line("F.softsign({x})"),
        "sine": line("torch.sin({x})"),
        "step": line("step({x})"),
        "linear": line("{x}"),
        "softmax": line("torch.softmax({x}, 1)"),
        "log_softmax": line("torch.log_softmax({x}, 1)"),
        "max_pool2d": _pool("max_pool2d", ", value=-torch.inf"),
        "avg_pool2d": _pool("avg_pool2d", ""),
        "global_max_pool": line("F.adaptive_max_pool2d({x}, 1).flatten(1)"),
        "global_avg_pool": line("{x}.mean((2, 3))"),
        "flatten": line("{x}.flatten(1)"),
        "reshape": lambda p: Part(f"{p.x}.reshape(-1, {', '.join(map(str, p.shape))})"),
        "permute": _permute,
        "pad": _sides,
        "crop": crop,
        "upsample": line("F.interpolate({x}, scale_factor={at.factor}, mode={at.mode!r})"),
        "batch_norm": _batch_norm,
        "layer_norm": _layer_norm,
        "dropout": lambda p: Part(f"self.{p.owner}({p.x})", f"nn.Dropout({p.at.rate})"),
        "group_norm": _group_norm,
        "spatial_dropout": lambda p: Part(f"self.{p.owner}({p.x})", f"nn.Dropout{p.rank - 1}d({p.at.rate})"),
        "gaussian_noise": line("noise({x}, {at.sigma}, self.training)"),
        "add": between("+"),
        "subtract": between("-"),
        "multiply": between("*"),
        "average": average,
        "maximum": maximum,
        "concatenate": line("torch.cat(({ins}), 1)"),
        "split": split,
        "augment": augment,
        "affine_warp": _affine_warp,
        "spatial_transformer": _transformer,
        "embedding": lambda p: Part(
            f"self.{p.owner}({p.x}.round().long()).mT", f"nn.Embedding({p.at.vocabulary}, {p.at.width})"
        ),
        "positional_encoding": _positions,
        "simple_rnn": _recurrent("RNN"),
        "gru": _recurrent("GRU"),
        "lstm": _recurrent("LSTM"),
        "one_position": one_position,
        "input_features": lambda p: Part(
            f"torch.stack(({features(p, f'{p.x}[:, 0]', f'{p.x}[:, 1]', 'torch.sin')},), 1)"
        ),
        "self_attention": _attention,
        "output": line("{x}"),
    },
    helpers=HELPERS,
    layout=_layout,
    taken=frozenset({"x", "self", "torch", "nn", "F", *OWN_NAMES, *HELPERS}),
    refused=_OF_MODULES,
)
