// Each channel to mean 0 and variance 1 over the live samples, then scaled and shifted; and the running
// statistics. Two passes for mean and variance, a third writes.
//
// Pointers: X (CHANNELS x CELLS x LANES), WEIGHT, BIAS, OLD_MEAN, OLD_VAR, MEAN, INVSTD, NEW_MEAN, NEW_VAR
// (CHANNELS), controls; the epilogue's own. NEW may be the same memory as OLD.
// One work-item per channel.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int c = id0;
    const int n = CONTROL_INT(LIVE);
    const float count = (float)(CELLS * n);
    __global const float *x = X + c * (CELLS * LANES);
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int lane = 0; lane < n; lane += VW) {
        const vi alive = LIVE_LANES(lane, n);
        IN_ORDER
        for (int i = 0; i < CELLS; i++) sum += select((vf)(0.0f), LOAD(x + i * LANES + lane), alive);
    }
    const float mean = SUM_VF(sum) / count;
    vf squares = (vf)(0.0f);
    IN_ORDER
    for (int lane = 0; lane < n; lane += VW) {
        const vi alive = LIVE_LANES(lane, n);
        IN_ORDER
        for (int i = 0; i < CELLS; i++) {
            const vf e = select((vf)(0.0f), LOAD(x + i * LANES + lane) - mean, alive);
            squares = fma(e, e, squares);
        }
    }
    const float variance = SUM_VF(squares) / count;
    const float invstd = 1.0f / sqrt(variance + EPSILON);
    const float factor = invstd * WEIGHT[c];
    MEAN[c] = mean;
    INVSTD[c] = invstd;
    NEW_MEAN[c] = (1.0f - MOMENTUM) * OLD_MEAN[c] + MOMENTUM * mean;
    NEW_VAR[c] = (1.0f - MOMENTUM) * OLD_VAR[c] + MOMENTUM * (variance * (count / fmax(count - 1.0f, 1.0f)));
    const float shift = BIAS[c];
    IN_ORDER
    for (int i = 0; i < CELLS; i++) {
        IN_ORDER
        for (int lane = 0; lane < LANES; lane += VW) {
            EPILOGUE((c * CELLS + i) * LANES + lane, (LOAD(x + i * LANES + lane) - mean) * factor + shift)
        }
    }
}
