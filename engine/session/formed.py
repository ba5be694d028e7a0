"""Parts of an operation written as a matrix (engine/as_matrix.py), reduced to what is shown."""

from __future__ import annotations

import numpy as np

from engine.as_matrix import Form, Part, Read
from engine.session import reduce
from engine.session.views import Matrix, MatrixData


def formed(request: Matrix, form: Form, part: Part, read: Read) -> MatrixData:
    """What `views.Matrix` asks for of a part."""
    if part != "matrix":
        return reduce.matrix(request, form.value(part), form.array(part, read))
    whole = form.matrix(read)
    rows, cols = (reduce.part(asked, length) for asked, length in
                  zip((request.rows, request.cols), whole.shape, strict=True))
    step = tuple(max(1, -(-(stop - start) // max(1, most))) for (start, stop), most in
                 zip((rows, cols), (request.max_rows, request.max_cols), strict=True))
    low, high, span = reduce.extremes(np.append(whole.values, np.float32(0)))
    return MatrixData(whole.means(rows, cols, (step[0], step[1])), whole.shape, rows, cols,
                      (step[0], step[1]), low, high, span, whole.shape)
