// The gradient of layer normalization to its input: DX = INVSTD * (G - mean of G - HAT * mean of G HAT),
// with G = DY * WEIGHT, means over the features of a position or the cells of a group; 0 in lanes from n on.
// AT(f) and what WEIGHTED(dy, f) multiplies by as in layernorm.cl.
//
// Pointers: DY, X (WIDTH x CELLS x LANES), WEIGHT, MEAN, INVSTD (CELLS x LANES), controls; the epilogue's own.
// One work-item computes one position or group for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int cell = id1 * LANES + lane;
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
    const vf mean = LOAD(MEAN + cell), invstd = LOAD(INVSTD + cell);
    vf sum = (vf)(0.0f), along = (vf)(0.0f);
    IN_ORDER
    for (int f = 0; f < WIDTH; f++) {
        const vf g = WEIGHTED(LOAD(DY + AT(f)), f);
        sum += g;
        along = fma(g, (LOAD(X + AT(f)) - mean) * invstd, along);
    }
    sum /= (vf)(WIDTH);
    along /= (vf)(WIDTH);
    for (int f = 0; f < WIDTH; f++) {
        const vf g = WEIGHTED(LOAD(DY + AT(f)), f);
        const vf hat = (LOAD(X + AT(f)) - mean) * invstd;
        EPILOGUE(AT(f), select((vf)(0.0f), invstd * (g - sum - hat * along), alive))
    }
}
