// P[r][lane] = exp(Z[r][lane] - max) / sum over r, for each sample.
//
// With LOGS its logarithm: Z[r][lane] - max - log(sum).
// With LOSSES the cross-entropy of each sample is written, too: log(sum) - (Z[label] - max).
// Pointers: Z (ROWS x LANES), with LOSSES: LABELS (int), LOSS (LANES); the epilogue's own.
// One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vf most = LOAD(Z + lane);
    IN_ORDER
    for (int r = 1; r < ROWS; r++) most = fmax(most, LOAD(Z + r * LANES + lane));
    vf sum = (vf)(0.0f);
#if LOSSES
    const vi label = LOAD_INT(LABELS + lane);
    vf chosen = (vf)(0.0f);
#endif
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
        const vf z = LOAD(Z + r * LANES + lane) - most;
        sum += CAT(exp_, VF_NAME)(z);
#if LOSSES
        chosen = select(chosen, z, label == (vi)(r));
#endif
    }
    IN_ORDER
    for (int r = 0; r < ROWS; r++) {
#if LOGS
        const vf p = LOAD(Z + r * LANES + lane) - most - CAT(log_, VF_NAME)(sum);
#else
        const vf p = CAT(exp_, VF_NAME)(LOAD(Z + r * LANES + lane) - most) / sum;
#endif
        EPILOGUE(r * LANES + lane, p)
    }
#if LOSSES
    STORE(CAT(log_, VF_NAME)(sum) - chosen, LOSS + lane);
#endif
}
