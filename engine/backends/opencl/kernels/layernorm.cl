// Each position of each sample to mean 0 and variance 1 over its features, then scaled and shifted.
//
// Two passes for mean and variance, a third writes; sums run over the features in order.
// Pointers: X (WIDTH x CELLS x LANES), WEIGHT, BIAS (WIDTH), MEAN, INVSTD (CELLS x LANES); the epilogue's own.
// One work-item computes one position for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int cell = id1 * LANES + lane;
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int f = 0; f < WIDTH; f++) sum += LOAD(X + f * (CELLS * LANES) + cell);
    const vf mean = sum / (vf)(WIDTH);
    vf squares = (vf)(0.0f);
    for (int f = 0; f < WIDTH; f++) {
        const vf e = LOAD(X + f * (CELLS * LANES) + cell) - mean;
        squares = fma(e, e, squares);
    }
    const vf invstd = (vf)(1.0f) / sqrt(squares / (vf)(WIDTH) + EPSILON);
    STORE(mean, MEAN + cell);
    STORE(invstd, INVSTD + cell);
    for (int f = 0; f < WIDTH; f++) {
        const vf hat = (LOAD(X + f * (CELLS * LANES) + cell) - mean) * invstd;
        EPILOGUE(f * (CELLS * LANES) + cell, hat * WEIGHT[f] + BIAS[f])
    }
}
