// OUT[h][i][j][lane] = SCALE * sum over d of A[h d][i][lane] * B[h d][j][lane]: who looks at whom, head by head.
//
// Pointers: A (HEADS * SIZE x ROWS x LANES), B (HEADS * SIZE x COLUMNS x LANES); the epilogue's own.
// One work-item computes one row i of one head for VW lanes; the sum runs over d in order, one fma each.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int i = id1;
    const int h = id2;
    __global const float *a = A + (h * SIZE * ROWS + i) * LANES + lane;
    for (int j = 0; j < COLUMNS; j++) {
        __global const float *b = B + (h * SIZE * COLUMNS + j) * LANES + lane;
        vf sum = (vf)(0.0f);
        for (int d = 0; d < SIZE; d++) sum = fma(LOAD(a + d * (ROWS * LANES)), LOAD(b + d * (COLUMNS * LANES)), sum);
        EPILOGUE(((h * ROWS + i) * COLUMNS + j) * LANES + lane, sum * SCALE)
    }
}
