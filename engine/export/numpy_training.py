"""Lines of plain NumPy for what stands between gradients and updates; see `numpy_lines`."""

TRAINING_LINES: dict[str, tuple[str, ...]] = {
    "clip_value": ("{o} = np.clip({0}, -{clip}, {clip})",),
    "square_sum": ("{o} = ({0} * {0}).sum()",),
    "grad_norm": ("{o} = np.sqrt({all})",),
    "clip_norm": ("{o} = {0} * min(1, {clip} / ({1} + 1e-6))",),
}
