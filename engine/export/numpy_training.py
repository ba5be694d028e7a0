"""Lines of plain NumPy for what stands between gradients and updates; see `numpy_lines`."""

TRAINING_LINES: dict[str, tuple[str, ...]] = {
    "accumulate": ("{o} = {1} + {0} / {count}", "{o2} = {o} * (1 - {apply})  # 0 where the weights move"),
    "clip_value": ("{o} = np.clip({0}, -{clip}, {clip})",),
    "square_sum": ("{o} = ({0} * {0}).sum()",),
    "grad_norm": ("{o} = np.sqrt({all})",),
    "clip_norm": ("{o} = {0} * min(1, {clip} / ({1} + 1e-6))",),
    "l1": ("{o} = {lambda} * np.abs({0}).sum()",),
    "l2": ("{o} = {lambda} / 2 * ({0} * {0}).sum()",),
    "l1_slope": ("{o} = {lambda} * np.sign({0})",),
    "l2_slope": ("{o} = {lambda} * {0}",),
    "max_norm": ("{o} = shorter_rows({limit}, {list})",),
}

TRAINING_HELPERS: dict[str, str] = {
    "shorter_rows": '''
def shorter_rows(limit, w, locked=0):
    """Each row not longer than the limit; locked cells stay."""
    free, rest = (locked == 0) & np.ones(w.shape, bool), tuple(range(1, w.ndim))
    movable = np.where(free, w * w, 0).sum(axis=rest, keepdims=True)
    fixed = np.where(free, 0, w * w).sum(axis=rest, keepdims=True)
    factor = np.sqrt(np.maximum(limit**2 - fixed, 0) / np.maximum(movable, 1e-38))
    return np.where(free & (movable + fixed > limit**2), w * factor, w)
''',
}
