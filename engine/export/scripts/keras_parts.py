"""The network in Keras on TensorFlow. There channels and features come last: N x H x W x C and N x T x F.

So weights are turned as they are loaded, and where order matters (flatten, reshape) the picture is turned.
"""

from __future__ import annotations

from typing import Any

from engine.export.scripts.walk import OWN_NAMES, Framework, Part, Place, Walked
from engine.export.scripts.writers import augment, average, between, features, line, maximum, more, numbers
from engine.layers.permute import AXES


def _w(p: Place, key: str) -> str:
    return f'weights["{p.owner}.{key}"]'


def _plain(p: Place, *keys: str) -> tuple[str, ...]:
    return tuple(_w(p, key) for key in keys)


def _dense(p: Place) -> Part:
    bias = "" if p.at.bias else ", use_bias=False"
    loads = (f"{_w(p, 'weight')}.T", *(_plain(p, "bias") if p.at.bias else ()))
    return Part(f"{p.owner}({p.x})", f"layers.Dense({p.at.units}{bias})", loads)


def _padded(x: str, padding: tuple[int, int, int, int], value: str = "") -> str:
    top, left, bottom, right = padding
    if not any(padding):
        return x
    return f"ops.pad({x}, ((0, 0), ({top}, {bottom}), ({left}, {right}), (0, 0)){value})"


def _conv2d(p: Place) -> Part:
    stride, cut = p.at.stride, ""
    if max(stride) > 1 and max(p.at.dilation) > 1:  # Keras has no strides over gaps
        stride, cut = (1, 1), f"[:, ::{stride[0]}, ::{stride[1]}]"
    facts = f"{p.at.filters}, {p.at.kernel}, strides={stride}"
    facts += more(p, "dilation_rate", "groups") + ("" if p.at.bias else ", use_bias=False")
    loads = (f"{_w(p, 'weight')}.transpose(2, 3, 1, 0)", *(_plain(p, "bias") if p.at.bias else ()))
    return Part(f"{p.owner}({_padded(p.x, p.at.padding)}){cut}", f"layers.Conv2D({facts})", loads)


def _conv1d(p: Place) -> Part:
    stride, cut = p.at.stride, ""
    if stride > 1 and p.at.dilation > 1:
        stride, cut = 1, f"[:, ::{stride}]"
    facts = f"{p.at.filters}, {p.at.kernel}, strides={stride}{more(p, 'dilation_rate', 'groups')}"
    facts += "" if p.at.bias else ", use_bias=False"
    loads = (f"{_w(p, 'weight')}.transpose(2, 1, 0)", *(_plain(p, "bias") if p.at.bias else ()))
    x = f"ops.pad({p.x}, ((0, 0), {p.at.padding}, (0, 0)))" if any(p.at.padding) else p.x
    return Part(f"{p.owner}({x}){cut}", f"layers.Conv1D({facts})", loads)


def _conv_transpose2d(p: Place) -> Part | None:
    if p.at.groups > 1 or max(p.at.dilation) > 1:
        return None  # Keras has neither here
    (top, left, _, _), (_, h, w) = p.at.padding, p.shape
    facts = f"{p.at.filters}, {p.at.kernel}, strides={p.at.stride}, output_padding={p.at.output_padding}"
    facts += "" if p.at.bias else ", use_bias=False"
    loads = (f"{_w(p, 'weight')}.transpose(2, 3, 1, 0)", *(_plain(p, "bias") if p.at.bias else ()))
    cut = f"[:, {top}:{top + h}, {left}:{left + w}]" if any(p.at.padding) else ""
    return Part(f"{p.owner}({p.x}){cut}", f"layers.Conv2DTranspose({facts})", loads)


def _recurrent(name: str) -> Any:
    """Keras adds up the two biases, but for GRU, and orders the gates of that one z, r, n."""

    def write(p: Place) -> Part:
        how = f", activation={p.at.activation!r}" if name == "SimpleRNN" else ""
        every = ", return_sequences=True" if p.at.states == "all" else ""
        made = f"layers.{name}({p.at.units}{how}{every})"
        return Part(f"{p.owner}({p.x})", made, (f'*recurrent_weights("{p.owner}", {name == "GRU"})',))

    return write


def _group_norm(p: Place) -> Part:
    affine = "" if p.at.affine else ", center=False, scale=False"
    made = f"layers.GroupNormalization({p.at.groups}, epsilon={p.at.epsilon}{affine})"
    return Part(f"{p.owner}({p.x})", made, _plain(p, "weight", "bias") if p.at.affine else ())


def _pool(name: str, value: str) -> Any:
    def write(p: Place) -> Part:
        facts = f"{p.at.kernel}, strides={p.at.stride}"
        return Part(f"layers.{name}({facts})({_padded(p.x, p.at.padding, value)})")

    return write


def _first(p: Place, x: str) -> str:
    """The value with the features or channels in front."""
    return x if p.rank == 1 else f"ops.moveaxis({x}, -1, 1)"


def _reshape(p: Place) -> Part:
    turned = f"ops.reshape({_first(p, p.x)}, (-1, {', '.join(map(str, p.shape))}))"
    return Part(turned if len(p.shape) == 1 else f"ops.moveaxis({turned}, 1, -1)")


def _permute(p: Place) -> Part:
    last = (2, 0, 1)  # where channels, rows and columns stand behind the example
    to = [last[a] for a in AXES[p.at.order]]
    order = (to[1], to[2], to[0])
    return Part(f"ops.transpose({p.x}, (0, {', '.join(str(a + 1) for a in order)}))")


def _crop(p: Place) -> Part:
    (_, h, w), (top, left, bottom, right) = p.shapes[0], p.at.sides
    return Part(f"{p.x}[:, {top}:{h - bottom}, {left}:{w - right}]")


def _batch_norm(p: Place) -> Part:
    made = f"layers.BatchNormalization(epsilon={p.at.epsilon}, momentum={1 - p.at.momentum:.9g})"
    loads = _plain(p, "weight", "bias", "running_mean", "running_var")
    return Part(f"{p.owner}({p.x})", made, loads)


def _prelu(p: Place) -> Part:
    shared = {1: "", 2: "shared_axes=[1]", 3: "shared_axes=[1, 2]"}[p.rank]
    shape = {1: "-1", 2: "1, -1", 3: "1, 1, -1"}[p.rank]
    return Part(f"{p.owner}({p.x})", f"layers.PReLU({shared})", (f"{_w(p, 'weight')}.reshape({shape})",))


def _split(p: Place) -> Part:
    size = p.width // p.at.parts
    return Part(f"{p.x}[..., {(p.at.part - 1) * size}:{p.at.part * size}]")


def _affine_warp(p: Place) -> Part:
    if p.at.trained:
        return Part(f"{p.owner}({p.x})", f"AffineWarp({p.at.border!r})", _plain(p, "weight"))
    return Part(f"AffineWarp({p.at.border!r}, {numbers(p.at.theta)})({p.x})")


def _transformer(p: Place) -> Part:
    return Part(f"Warp({p.at.border!r}, True, {p.at.identity})([{p.x}, {p.ins[1]}])")


def _positions(p: Place) -> Part:
    made = f"Positions(trainable={p.at.table == 'learned'})"
    return Part(f"{p.owner}({p.x})", made, (f"{_w(p, 'weight')}.T",))


def _embedding(p: Place) -> Part:
    made = f"layers.Embedding({p.at.vocabulary}, {p.at.width})"
    return Part(f'{p.owner}(ops.cast(ops.round({p.x}), "int32"))', made, _plain(p, "weight"))


def _attention(p: Place) -> Part:
    made = f"layers.MultiHeadAttention({p.at.heads}, {p.width // p.at.heads})"
    causal = ", use_causal_mask=True" if p.at.causal else ""
    loads = (f'*attention_weights("{p.owner}", {p.at.heads})',)
    return Part(f"{p.owner}({p.x}, {p.x}{causal})", made, loads)


def _layout(found: Walked) -> list[str]:
    shape = found.shape if len(found.shape) == 1 else (*found.shape[1:], found.shape[0])
    return [
        *(f"{name} = {part.made}" for name, part in found.made),
        "",
        f"x = keras.Input({shape})",
        *found.lines,
        f"net = keras.Model(x, {f'[{found.result}]' if found.several else found.result})",
        "",
        *(f"{name}.set_weights([{', '.join(part.loads)}])" for name, part in found.made if part.loads),
        "",
        "",
        "def predict(x):",
        '    """The network\'s outputs for inputs as it sees them, channels in front."""',
        "    x = np.moveaxis(x, 1, -1) if x.ndim == 4 else x",
        "    return [np.moveaxis(np.asarray(y), -1, 1) for y in net(x, training=False)]" if found.several
        else "    return np.moveaxis(np.asarray(net(x, training=False)), -1, 1)",
    ]


HELPERS = {
    "step": '''
def step(z):
    """1 above 0, else 0; on the way back the slope is max(0, 1 - |z|)."""
    inside = ops.clip(z, -1, 1)
    stand_in = inside - inside * ops.abs(inside) / 2
    return ops.cast(z > 0, z.dtype) + (stand_in - ops.stop_gradient(stand_in))
''',
    "largest": '''
def largest(a, b):
    """The larger of two, cell by cell; of equal ones the first gets the gradient."""
    return ops.where(b > a, b, a)
''',
    "folded": '''
def folded(i, size, border):
    """The pixel that a place beside the picture means."""
    if border == "reflect" and size > 1:
        i = ops.mod(ops.abs(i), 2 * size - 2)
        i = ops.minimum(i, 2 * size - 2 - i)
    return ops.clip(i, 0, size - 1)
''',
    "Warp": '''
class Warp(layers.Layer):
    """Each pixel read between four at the inverse of a matrix a, b, tx, c, d, ty about the center.

    Shifts are in pixels; or in halves of the picture, and the numbers maybe added to the identity.
    """

    def __init__(self, border, halves=False, identity=False, **more):
        super().__init__(**more)
        self.border, self.halves, self.identity = border, halves, identity

    def call(self, given):
        x, theta = given
        height, width, channels = x.shape[1:]
        if self.halves:
            start = ops.array([1.0, 0, 0, 0, 1, 0]) if self.identity else 0
            theta = (theta + start) * ops.array([1, 1, width / 2, 1, 1, height / 2])
        a, b, tx, c, d, ty = (ops.reshape(theta, (-1, 6))[:, k, None, None] for k in range(6))
        row = ops.arange(height, dtype="float32")[:, None] - (height - 1) / 2 - ty
        column = ops.arange(width, dtype="float32") - (width - 1) / 2 - tx
        det = a * d - b * c
        px = (d * column - b * row) / det + (width - 1) / 2
        py = (a * row - c * column) / det + (height - 1) / 2
        x0, y0, y = ops.floor(px), ops.floor(py), 0
        for i, down in ((y0, y0 + 1 - py), (y0 + 1, py - y0)):
            for j, across in ((x0, x0 + 1 - px), (x0 + 1, px - x0)):
                y = y + (down * across)[..., None] * self.pixels(x, i, j)
        return y

    def pixels(self, x, i, j):
        """The pixels in rows i and columns j."""
        height, width, channels = x.shape[1:]
        row, column = folded(i, height, self.border), folded(j, width, self.border)
        place = ops.reshape(ops.cast(row * width + column, "int32"), (-1, height * width, 1))
        maps = ops.reshape(x, (-1, height * width, channels))
        read = ops.reshape(ops.take_along_axis(maps, place, 1), (-1, height, width, channels))
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        return ops.where(inside[..., None], read, 0.0) if self.border == "zero" else read
''',
    "AffineWarp": '''
class AffineWarp(layers.Layer):
    """A warp by a matrix that is learnt, or given."""

    def __init__(self, border, given=None, **more):
        super().__init__(**more)
        self.warp, self.given = Warp(border), given

    def build(self, shape):
        self.matrix = self.add_weight(shape=(2, 3)) if self.given is None else ops.array(self.given)

    def call(self, x):
        every = ops.ones_like(x[:, :1, 0, 0])
        return self.warp([x, every * ops.reshape(self.matrix, (1, 6))])
''',
    "Positions": '''
class Positions(layers.Layer):
    """A vector of its own is added to each position."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:])

    def call(self, x):
        return x + self.table
''',
    "recurrent_weights": '''
def recurrent_weights(name, gru):
    """The weights of a recurrent layer in the order of Keras; but for GRU it has one bias, the sum of both.

    Trained on here, that one moves half as far as the sum of two would.
    """
    keys = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    seen, again, bias, more = (weights[f"{name}.{key}"] for key in keys)
    if not gru:
        return seen.T, again.T, bias + more
    parts = [np.split(v, 3) for v in (seen, again, bias, more)]
    seen, again, bias, more = (np.concatenate((z, r, n)) for r, z, n in parts)
    return seen.T, again.T, np.stack((bias, more))
''',
    "attention_weights": '''
def attention_weights(name, heads):
    """The weights of a self-attention in the order of Keras, cut into heads."""
    size = weights[f"{name}.out_proj.weight"].shape[0]
    three = weights[f"{name}.in_proj_weight"].reshape(3, size, size)
    for key, bias in zip(three, weights[f"{name}.in_proj_bias"].reshape(3, -1)):
        yield key.T.reshape(size, heads, -1)
        yield bias.reshape(heads, -1)
    yield weights[f"{name}.out_proj.weight"].T.reshape(heads, -1, size)
    yield weights[f"{name}.out_proj.bias"]
''',
}

_TAKEN = frozenset({"x", "net", "keras", "layers", "ops", *OWN_NAMES, *HELPERS})

KERAS = Framework(
    word="tensorflow",
    name="TensorFlow",
    imports=(
        "",
        'os.environ.setdefault("KERAS_BACKEND", "tensorflow")',
        "import keras",
        "from keras import layers, ops",
    ),
    standard=("os",),
    how=("`net` is a keras.Model: compile and fit it as any other. Its pictures are N x H x W x C.",),
    parts={
        "input": lambda p: Part("x"),
        "dense": _dense,
        "conv2d": _conv2d,
        "conv1d": _conv1d,
        "conv_transpose2d": _conv_transpose2d,
        "relu": line("ops.relu({x})"),
        "leaky_relu": line("ops.leaky_relu({x}, {at.slope})"),
        "prelu": _prelu,
        "elu": line("ops.elu({x}, {at.alpha})"),
        "selu": line("ops.selu({x})"),
        "gelu": lambda p: Part(f"ops.gelu({p.x}, approximate={p.at.form != 'exact'})"),
        "silu": line("ops.silu({x})"),
        "mish": line("{x} * ops.tanh(ops.softplus({x}))"),
        "sigmoid": line("ops.sigmoid({x})"),
        "hard_sigmoid": line("ops.hard_sigmoid({x})"),
        "tanh": line("ops.tanh({x})"),
        "softplus": line("ops.softplus({x})"),
        "softsign": line("ops.softsign({x})"),
        "sine": line("ops.sin({x})"),
        "step": line("step({x})"),
        "linear": line("{x}"),
        "softmax": line("ops.softmax({x})"),
        "log_softmax": line("ops.log_softmax({x})"),
        "max_pool2d": _pool("MaxPooling2D", ", constant_values=-np.inf"),
        "avg_pool2d": _pool("AveragePooling2D", ""),
        "global_max_pool": line("layers.GlobalMaxPooling2D()({x})"),
        "global_avg_pool": line("layers.GlobalAveragePooling2D()({x})"),
        "flatten": lambda p: Part(p.x if p.rank == 1 else f"layers.Flatten()({_first(p, p.x)})"),
        "reshape": _reshape,
        "permute": _permute,
        "pad": lambda p: Part(_padded(p.x, p.at.sides)),
        "crop": _crop,
        "upsample": line("layers.UpSampling2D({at.factor}, interpolation={at.mode!r})({x})"),
        "batch_norm": _batch_norm,
        "layer_norm": lambda p: Part(
            f"{p.owner}({p.x})",
            f"layers.LayerNormalization(epsilon={p.at.epsilon})",
            _plain(p, "weight", "bias"),
        ),
        "dropout": line("layers.Dropout({at.rate})({x})"),
        "group_norm": _group_norm,
        "spatial_dropout": lambda p: Part(f"layers.SpatialDropout{p.rank - 1}D({p.at.rate})({p.x})"),
        "gaussian_noise": line("layers.GaussianNoise({at.sigma})({x})"),
        "add": between("+"),
        "subtract": between("-"),
        "multiply": between("*"),
        "average": average,
        "maximum": maximum,
        "concatenate": line("layers.Concatenate()([{ins}])"),
        "split": _split,
        "augment": augment,
        "affine_warp": _affine_warp,
        "spatial_transformer": _transformer,
        "embedding": _embedding,
        "positional_encoding": _positions,
        "simple_rnn": _recurrent("SimpleRNN"),
        "gru": _recurrent("GRU"),
        "lstm": _recurrent("LSTM"),
        "one_position": lambda p: Part(f"{p.x}[:, {(p.at.position or p.shapes[0][1]) - 1}]"),
        "input_features": lambda p: Part(
            f"ops.stack(({features(p, f'{p.x}[:, 0]', f'{p.x}[:, 1]', 'ops.sin')},), -1)"
        ),
        "self_attention": _attention,
        "output": line("{x}"),
    },
    helpers=HELPERS,
    layout=_layout,
    taken=_TAKEN,
    refused=_TAKEN,
    suffix="_y",
)
