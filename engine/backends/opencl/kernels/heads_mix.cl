// OUT[h d][i][lane] = SCALE * sum over j of P[h][i][j][lane] * V[h d][j][lane]; with TURNED P[h][j][i].
//
// Pointers: P (HEADS x matrices x LANES), V (HEADS * SIZE x COLUMNS x LANES); the epilogue's own.
// One work-item computes one position i of one head for VW lanes; the sum runs over j in order, one fma each.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int i = id1;
    const int h = id2;
    __global const float *p = P + h * (ROWS * COLUMNS * LANES) + (TURNED ? i : i * COLUMNS) * LANES + lane;
    for (int d = 0; d < SIZE; d++) {
        __global const float *v = V + (h * SIZE + d) * (COLUMNS * LANES) + lane;
        vf sum = (vf)(0.0f);
        for (int j = 0; j < COLUMNS; j++) {
            sum = fma(LOAD(p + j * ((TURNED ? ROWS : 1) * LANES)), LOAD(v + j * LANES), sum);
        }
        EPILOGUE(((h * SIZE + d) * ROWS + i) * LANES + lane, sum * SCALE)
    }
}
