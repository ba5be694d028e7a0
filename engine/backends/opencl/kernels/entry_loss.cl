// LOSS[lane] = sum over r of ENTRY(Y[r][lane], T[r][lane]): one number per sample.
//
// Pointers: Y, T (ROWS x LANES), LOSS (LANES). One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
        const vf y = LOAD(Y + r * LANES + lane);
        const vf t = LOAD(T + r * LANES + lane);
        sum += ENTRY(y, t);
    }
    STORE(sum, LOSS + lane);
}
