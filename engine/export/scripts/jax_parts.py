"""The network in JAX: functions of the weights, which stay as they are in the file, the example first."""

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


def _w(p: Place, key: str) -> str:
    return f'w["{p.owner}.{key}"]'


def _dense(p: Place) -> Part:
    if p.rank == 1:
        return Part(f"{p.x} @ {_w(p, 'weight')}.T" + (f" + {_w(p, 'bias')}" if p.at.bias else ""))
    bias = f" + {_w(p, 'bias')}[:, None]" if p.at.bias else ""
    return Part(f'{_w(p, "weight")} @ {p.x}{bias}')


def _pads(padding: tuple[int, int, int, int]) -> str:
    top, left, bottom, right = padding
    return f"(({top}, {bottom}), ({left}, {right}))"


def _conv2d(p: Place) -> Part:
    bias = f" + {_w(p, 'bias')}[:, None, None]" if p.at.bias else ""
    facts = f"{p.at.stride}, {_pads(p.at.padding)}{more(p, 'dilation', 'groups')}"
    return Part(f"conv2d({p.x}, {_w(p, 'weight')}, {facts}){bias}")


def _conv1d(p: Place) -> Part:
    bias = f" + {_w(p, 'bias')}[:, None]" if p.at.bias else ""
    facts = f"{p.at.stride}, {p.at.padding}{more(p, 'dilation', 'groups')}"
    return Part(f"conv1d({p.x}, {_w(p, 'weight')}, {facts}){bias}")


def _conv_transpose2d(p: Place) -> Part:
    bias = f" + {_w(p, 'bias')}[:, None, None]" if p.at.bias else ""
    facts = f"{p.at.stride}, {_pads(p.at.padding)}, {p.at.output_padding}{more(p, 'dilation', 'groups')}"
    return Part(f"conv_transpose2d({p.x}, {_w(p, 'weight')}, {facts}){bias}")


def _recurrent(cell: str) -> Any:
    def write(p: Place) -> Part:
        end = "" if p.at.states == "all" else "[..., -1]"
        name = f"{p.at.activation}_cell" if cell == "rnn" else f"{cell}_cell"
        return Part(f'recur(w, "{p.owner}", {p.x}, {name}){end}')

    return write


def _pool(function: str) -> Any:
    return lambda p: Part(f"{function}({p.x}, {p.at.kernel}, {p.at.stride}, {_pads(p.at.padding)})")


def _affine_warp(p: Place) -> Part:
    theta = _w(p, "weight") if p.at.trained else f"jnp.array({numbers(p.at.theta)})"
    return Part(f"warp({p.x}, {theta}, {p.at.border!r})")


def _group_norm(p: Place) -> Part:
    y = f"group_norm({p.x}, {p.at.groups}, {p.at.epsilon})"
    if not p.at.affine:
        return Part(y)
    return Part(f"{y} * spread({_w(p, 'weight')}, {p.x}) + spread({_w(p, 'bias')}, {p.x})")


def _transformer(p: Place) -> Part:
    _, h, w = p.shapes[0]
    return Part(f"warp({p.x}, in_pixels({p.ins[1]}, {h}, {w}, {p.at.identity}), {p.at.border!r})")


def _layout(found: Walked) -> list[str]:
    train = any("train)" in text for text in found.lines)
    words = "outputs; with a dict `train` as in training, which gets the new running statistics."
    return [
        'w = {k: jnp.asarray(weights[k]) for k in weights.files if k != "__meta__"}',
        "",
        "",
        f"def forward(w, x{', train=None' if train else ''}):",
        f'    """The network\'s {words}"""' if train else '    """The network\'s outputs."""',
        *(f"    {text}" for text in found.lines),
        f"    return {found.result}",
        "",
        "",
        "def predict(x):",
        '    """The network\'s outputs for inputs as it sees them."""',
        "    return [np.asarray(y) for y in jax.jit(forward)(w, x)]" if found.several
        else "    return np.asarray(jax.jit(forward)(w, x))",
    ]


HELPERS = {
    "spread": '''
def spread(v, like):
    """One number for each feature or channel, shaped to stand beside `like`."""
    return v.reshape(-1, *[1] * (like.ndim - 2))
''',
    "step": '''
def step(z):
    """1 above 0, else 0; on the way back the slope is max(0, 1 - |z|)."""
    inside = jnp.clip(z, -1, 1)
    stand_in = inside - inside * jnp.abs(inside) / 2
    return (z > 0).astype(z.dtype) + (stand_in - jax.lax.stop_gradient(stand_in))
''',
    "prelu": '''
def prelu(x, slope):
    """Negative values times a slope of their feature."""
    return jnp.where(x > 0, x, spread(slope, x) * x)
''',
    "largest": '''
def largest(a, b):
    """The larger of two, cell by cell; of equal ones the first gets the gradient."""
    return jnp.where(b > a, b, a)
''',
    "conv2d": '''
def conv2d(x, kernel, stride, padding, dilation=(1, 1), groups=1):
    """Every kernel on every window of the pictures."""
    return jax.lax.conv_general_dilated(
        x, kernel, stride, padding, rhs_dilation=dilation, feature_group_count=groups
    )
''',
    "conv1d": '''
def conv1d(x, kernel, stride, padding, dilation=1, groups=1):
    """Every kernel on every stretch of the sequences."""
    return jax.lax.conv_general_dilated(
        x, kernel, (stride,), (padding,), rhs_dilation=(dilation,), feature_group_count=groups
    )
''',
    "conv_transpose2d": '''
def conv_transpose2d(x, kernel, stride, padding, more, dilation=(1, 1), groups=1):
    """Every number lays its kernel down: a convolution over a picture with gaps, the kernels turned."""
    size = kernel.shape
    turned = kernel.reshape(groups, -1, *size[1:]).swapaxes(1, 2).reshape(-1, size[0] // groups, *size[2:])
    pads = [
        ((k - 1) * d - before, (k - 1) * d - after + m)
        for k, d, (before, after), m in zip(size[2:], dilation, padding, more)
    ]
    return jax.lax.conv_general_dilated(
        x, turned[:, :, ::-1, ::-1], (1, 1), pads, lhs_dilation=stride, rhs_dilation=dilation,
        feature_group_count=groups,
    )
''',
    "upsample": '''
def upsample(x, factor, mode):
    """Every pixel so many times, or what lies between four."""
    size = (*x.shape[:2], x.shape[2] * factor[0], x.shape[3] * factor[1])
    return jax.image.resize(x, size, mode)
''',
    "group_norm": '''
def group_norm(x, groups, epsilon):
    """Over the channels of each group and all their pixels."""
    parts = x.reshape(len(x), groups, -1)
    y = (parts - parts.mean(2, keepdims=True)) / jnp.sqrt(parts.var(2, keepdims=True) + epsilon)
    return y.reshape(x.shape)
''',
    "noise": '''
def noise(x, sigma, train):
    """Normal numbers are added while training, with train["key"] = jax.random.key(...)."""
    if train is None or sigma == 0:
        return x
    train["key"], key = jax.random.split(train["key"])
    return x + sigma * jax.random.normal(key, x.shape)
''',
    "spatial_dropout": '''
def spatial_dropout(x, rate, train):
    """Whole maps fall silent while training, with train["key"] = jax.random.key(...)."""
    if train is None or rate == 0:
        return x
    train["key"], key = jax.random.split(train["key"])
    kept = jax.random.bernoulli(key, 1 - rate, (*x.shape[:2], *[1] * (x.ndim - 2)))
    return jnp.where(kept, x / (1 - rate), 0)
''',
    "tanh_cell": '''
def tanh_cell(u, q, h, c):
    """The new state."""
    return jnp.tanh(u + q), c
''',
    "relu_cell": '''
def relu_cell(u, q, h, c):
    """The new state."""
    return jax.nn.relu(u + q), c
''',
    "gru_cell": '''
def gru_cell(u, q, h, c):
    """Gates r and z, the proposal n, the new state."""
    (ur, uz, un), (qr, qz, qn) = jnp.split(u, 3, 1), jnp.split(q, 3, 1)
    r, z = jax.nn.sigmoid(ur + qr), jax.nn.sigmoid(uz + qz)
    return (1 - z) * jnp.tanh(un + r * qn) + z * h, c
''',
    "lstm_cell": '''
def lstm_cell(u, q, h, c):
    """Gates i, f and o, the proposal g, the new state and memory."""
    i, f, g, o = jnp.split(u + q, 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c
''',
    "recur": '''
def recur(w, name, x, cell):
    """The states of all positions, one after the other."""
    u = w[f"{name}.weight_ih_l0"] @ x + w[f"{name}.bias_ih_l0"][:, None]
    again, bias = w[f"{name}.weight_hh_l0"], w[f"{name}.bias_hh_l0"]
    h = c = jnp.zeros((len(x), again.shape[1]))
    states = []
    for t in range(x.shape[2]):
        h, c = cell(u[..., t], h @ again.T + bias, h, c)
        states.append(h)
    return jnp.stack(states, -1)
''',
    "max_pool2d": '''
def max_pool2d(x, kernel, stride, padding):
    """The largest cell of each window."""
    pads = ((0, 0), (0, 0), *padding)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, *kernel), (1, 1, *stride), pads)
''',
    "avg_pool2d": '''
def avg_pool2d(x, kernel, stride, padding):
    """The mean of each window; the border counts as zeros."""
    pads = ((0, 0), (0, 0), *padding)
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 1, *kernel), (1, 1, *stride), pads)
    return total / (kernel[0] * kernel[1])
''',
    "global_max_pool": '''
def global_max_pool(x):
    """The largest cell of each map; of equal ones the first gets the gradient."""
    maps = x.reshape(*x.shape[:2], -1)
    return jnp.take_along_axis(maps, jnp.argmax(maps, -1, keepdims=True), -1)[..., 0]
''',
    "batch_norm": '''
def batch_norm(w, name, x, epsilon, momentum, train):
    """Over the batch while training, else by the running statistics."""
    axes = (0, *range(2, x.ndim))
    if train is None:
        mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    else:
        mean, var, count = x.mean(axes), x.var(axes), x.size // x.shape[1]
        for key, new in (("running_mean", mean), ("running_var", var * count / max(count - 1, 1))):
            key = f"{name}.{key}"
            train[key] = (1 - momentum) * train.get(key, w[key]) + momentum * new
    y = (x - spread(mean, x)) / jnp.sqrt(spread(var, x) + epsilon)
    return y * spread(w[f"{name}.weight"], x) + spread(w[f"{name}.bias"], x)
''',
    "layer_norm": '''
def layer_norm(w, name, x, epsilon):
    """Over the features of each position."""
    y = (x - x.mean(1, keepdims=True)) / jnp.sqrt(x.var(1, keepdims=True) + epsilon)
    return y * spread(w[f"{name}.weight"], x) + spread(w[f"{name}.bias"], x)
''',
    "dropout": '''
def dropout(x, rate, train):
    """Random silence while training, with train["key"] = jax.random.key(...)."""
    if train is None or rate == 0:
        return x
    train["key"], key = jax.random.split(train["key"])
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)
''',
    "attend": '''
def attend(w, name, x, heads, causal):
    """Self-attention over positions, head by head; only back, if causal."""
    n, width, length = x.shape
    qkv = w[f"{name}.in_proj_weight"] @ x + w[f"{name}.in_proj_bias"][:, None]
    q, k, v = qkv.reshape(n, 3, heads, width // heads, length).swapaxes(0, 1)
    scores = jnp.einsum("nhdi,nhdj->nhij", q, k) / (width // heads) ** 0.5
    if causal:
        scores = jnp.where(jnp.tri(length, dtype=bool), scores, -jnp.inf)
    mixed = jnp.einsum("nhij,nhdj->nhdi", jax.nn.softmax(scores), v).reshape(x.shape)
    return w[f"{name}.out_proj.weight"] @ mixed + w[f"{name}.out_proj.bias"][:, None]
''',
    "warp": '''
def warp(x, theta, border):
    """Each pixel read at the inverse of a matrix a, b, tx, c, d, ty about the center, in pixels."""
    height, width = x.shape[2:]
    mode = {"zero": "constant", "edge": "nearest", "reflect": "mirror"}[border]
    row = jnp.arange(height)[:, None] - (height - 1) / 2
    column = jnp.arange(width) - (width - 1) / 2

    def one(maps, numbers):
        a, b, tx, c, d, ty = numbers
        u, v, det = column - tx, row - ty, a * d - b * c
        px, py = (d * u - b * v) / det + (width - 1) / 2, (a * v - c * u) / det + (height - 1) / 2
        return jax.vmap(lambda m: jax.scipy.ndimage.map_coordinates(m, (py, px), 1, mode))(maps)

    return jax.vmap(one)(x, jnp.broadcast_to(theta.reshape(-1, 6), (len(x), 6)))
''',
    "in_pixels": '''
def in_pixels(theta, height, width, identity):
    """Six numbers of each example, their shifts in halves of the picture; from the identity if so."""
    start = jnp.array([1, 0, 0, 0, 1, 0]) if identity else 0
    return (theta + start) * jnp.array([1, 1, width / 2, 1, 1, height / 2])
''',
}

JAX = Framework(
    word="jax",
    name="JAX",
    imports=("import jax", "import jax.numpy as jnp"),
    how=(
        "`forward(w, x)` is a pure function of the weights `w`: jax.grad goes through it.",
    ),
    parts={
        "input": lambda p: Part("x"),
        "dense": _dense,
        "conv2d": _conv2d,
        "conv1d": _conv1d,
        "conv_transpose2d": _conv_transpose2d,
        "relu": line("jax.nn.relu({x})"),
        "leaky_relu": line("jax.nn.leaky_relu({x}, {at.slope})"),
        "prelu": lambda p: Part(f"prelu({p.x}, {_w(p, 'weight')})"),
        "elu": line("jax.nn.elu({x}, {at.alpha})"),
        "selu": line("jax.nn.selu({x})"),
        "gelu": lambda p: Part(f"jax.nn.gelu({p.x}, approximate={p.at.form != 'exact'})"),
        "silu": line("jax.nn.silu({x})"),
        "mish": line("jax.nn.mish({x})"),
        "sigmoid": line("jax.nn.sigmoid({x})"),
        "hard_sigmoid": line("jax.nn.hard_sigmoid({x})"),
        "tanh": line("jnp.tanh({x})"),
        "softplus": line("jax.nn.softplus({x})"),
        "softsign": line("jax.nn.soft_sign({x})"),
        "sine": line("jnp.sin({x})"),
        "step": line("step({x})"),
        "linear": line("{x}"),
        "softmax": line("jax.nn.softmax({x}, 1)"),
        "log_softmax": line("jax.nn.log_softmax({x}, 1)"),
        "max_pool2d": _pool("max_pool2d"),
        "avg_pool2d": _pool("avg_pool2d"),
        "global_max_pool": line("global_max_pool({x})"),
        "global_avg_pool": line("{x}.mean((2, 3))"),
        "flatten": line("{x}.reshape(len({x}), -1)"),
        "reshape": lambda p: Part(f"{p.x}.reshape(-1, {', '.join(map(str, p.shape))})"),
        "permute": lambda p: Part(
            f"{p.x}.transpose(0, {', '.join(str(a + 1) for a in AXES[p.at.order])})"
        ),
        "pad": lambda p: Part(f"jnp.pad({p.x}, ((0, 0), (0, 0), *{_pads(p.at.sides)}))"),
        "crop": crop,
        "upsample": line("upsample({x}, {at.factor}, {at.mode!r})"),
        "batch_norm": lambda p: Part(
            f'batch_norm(w, "{p.owner}", {p.x}, {p.at.epsilon}, {p.at.momentum}, train)'
        ),
        "layer_norm": lambda p: Part(f'layer_norm(w, "{p.owner}", {p.x}, {p.at.epsilon})'),
        "dropout": line("dropout({x}, {at.rate}, train)"),
        "group_norm": _group_norm,
        "spatial_dropout": line("spatial_dropout({x}, {at.rate}, train)"),
        "gaussian_noise": line("noise({x}, {at.sigma}, train)"),
        "add": between("+"),
        "subtract": between("-"),
        "multiply": between("*"),
        "average": average,
        "maximum": maximum,
        "concatenate": line("jnp.concatenate(({ins}), 1)"),
        "split": split,
        "augment": augment,
        "affine_warp": _affine_warp,
        "spatial_transformer": _transformer,
        "embedding": lambda p: Part(
            f"{_w(p, 'weight')}[jnp.rint({p.x}).astype(int)].swapaxes(1, 2)"
        ),
        "positional_encoding": lambda p: Part(f"{p.x} + {_w(p, 'weight')}"),
        "simple_rnn": _recurrent("rnn"),
        "gru": _recurrent("gru"),
        "lstm": _recurrent("lstm"),
        "one_position": one_position,
        "input_features": lambda p: Part(
            f"jnp.stack(({features(p, f'{p.x}[:, 0]', f'{p.x}[:, 1]', 'jnp.sin')},), 1)"
        ),
        "self_attention": lambda p: Part(f'attend(w, "{p.owner}", {p.x}, {p.at.heads}, {p.at.causal})'),
        "output": line("{x}"),
    },
    helpers=HELPERS,
    layout=_layout,
    taken=frozenset({"x", "w", "train", "jax", "jnp", *OWN_NAMES, *HELPERS}),
)
