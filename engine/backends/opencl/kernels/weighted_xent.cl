// P[r][lane] = exp(Z[r][lane] - max) / sum over r, for each sample, and its loss with targets
// RIGHT * W[lane] for the label's class and EVEN[r] for every class: LOSS[lane] = -sum of q ln p.
//
// Pointers: Z (ROWS x LANES), LABELS (int), W, LOSS (LANES); the epilogue's own.
// One work-item computes VW lanes.

__constant float CAT(NAME, _even)[ROWS] = { EVEN };

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vf most = LOAD(Z + lane);
    IN_ORDER
    for (int r = 1; r < ROWS; r++) most = fmax(most, LOAD(Z + r * LANES + lane));
    vf sum = (vf)(0.0f);
    const vi label = LOAD_INT(LABELS + lane);
    vf chosen = (vf)(0.0f);
    vf all_of_them = (vf)(0.0f);
    float evenly = 0.0f;
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
        const vf z = LOAD(Z + r * LANES + lane) - most;
        sum += CAT(exp_, VF_NAME)(z);
        chosen = select(chosen, z, label == (vi)(r));
        all_of_them += CAT(NAME, _even)[r] * z;
        evenly += CAT(NAME, _even)[r];
    }
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
        const vf p = CAT(exp_, VF_NAME)(LOAD(Z + r * LANES + lane) - most) / sum;
        EPILOGUE(r * LANES + lane, p)
    }
    const vf logs = CAT(log_, VF_NAME)(sum);
    STORE(RIGHT * LOAD(W + lane) * (logs - chosen) + (logs * evenly - all_of_them), LOSS + lane);
}
