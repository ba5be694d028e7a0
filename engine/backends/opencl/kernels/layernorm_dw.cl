// OUT[f] = sum over positions and live lanes of DY * (X - MEAN) * INVSTD: the gradient of the scale.
//
// Register by register of lanes, position by position, then the lanes of a register (SUM_VF).
// STATISTIC(i) is the row of MEAN and INVSTD for the i-th position: its own, or that of the feature's group.
//
// Pointers: DY, X (features x CELLS x LANES), MEAN, INVSTD, controls; the epilogue's own (EPILOGUE_S). One
// work-item per feature.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int f = id0;
    const int n = CONTROL_INT(LIVE);
    __global const float *dy = DY + f * (CELLS * LANES);
    __global const float *x = X + f * (CELLS * LANES);
    vf sum = (vf)(0.0f);
    for (int lane = 0; lane < n; lane += VW) {
        const vi alive = LIVE_LANES(lane, n);
        for (int i = 0; i < CELLS; i++) {
            const int cell = i * LANES + lane, stat = STATISTIC(i) * LANES + lane;
            const vf hat = select((vf)(0.0f), (LOAD(x + cell) - LOAD(MEAN + stat)) * LOAD(INVSTD + stat), alive);
            sum = fma(select((vf)(0.0f), LOAD(dy + cell), alive), hat, sum);
        }
    }
    EPILOGUE_S(f, SUM_VF(sum))
}
