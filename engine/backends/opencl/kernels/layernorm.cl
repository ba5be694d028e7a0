// Numbers that belong together to mean 0 and variance 1, then scaled and shifted: the features of each position of
// each sample, or (group normalization) all cells of the channels of a group.
//
// Two passes for mean and variance, a third writes; sums run over the WIDTH numbers in order. AT(f) is the cell of
// the f-th of them, SCALED(hat, f) what becomes of it.
// Pointers: X (WIDTH x CELLS x LANES), WEIGHT, BIAS, MEAN, INVSTD (CELLS x LANES); the epilogue's own.
// One work-item computes one position or group for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int cell = id1 * LANES + lane;
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int f = 0; f < WIDTH; f++) sum += LOAD(X + AT(f));
    const vf mean = sum / (vf)(WIDTH);
    vf squares = (vf)(0.0f);
    for (int f = 0; f < WIDTH; f++) {
        const vf e = LOAD(X + AT(f)) - mean;
        squares = fma(e, e, squares);
    }
    const vf invstd = (vf)(1.0f) / sqrt(squares / (vf)(WIDTH) + EPSILON);
    STORE(mean, MEAN + cell);
    STORE(invstd, INVSTD + cell);
    for (int f = 0; f < WIDTH; f++) {
        const vf hat = (LOAD(X + AT(f)) - mean) * invstd;
        EPILOGUE(AT(f), SCALED(hat, f))
    }
}
