// LOSS[lane] = sum over r of (Y[r][lane] - T[r][lane])^2: one number per sample.
//
// Pointers: Y, T (ROWS x LANES), LOSS (LANES). One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
        const vf e = LOAD(Y + r * LANES + lane) - LOAD(T + r * LANES + lane);
        sum += e * e;
    }
    STORE(sum, LOSS + lane);
}
