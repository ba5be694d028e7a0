// DX = weight * invstd * (DY - mean(DY) - hat * mean(DY * hat)), hat = (X - mean) * invstd;
// DW = sum of DY * hat, DB = sum of DY, over the live samples. DX is 0 in lanes from n on.
//
// Pointers: DY, X (CHANNELS x CELLS x LANES), WEIGHT, MEAN, INVSTD, DW, DB (CHANNELS), controls; the
// epilogue's own. One work-item per channel.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int c = id0;
    const int n = CONTROL_INT(LIVE);
    const float count = (float)(CELLS * n);
    const float mean = MEAN[c], invstd = INVSTD[c];
    __global const float *dy = DY + c * (CELLS * LANES);
    __global const float *x = X + c * (CELLS * LANES);
    vf sum = (vf)(0.0f), along = (vf)(0.0f);
    IN_ORDER
    for (int lane = 0; lane < n; lane += VW) {
        const vi alive = LIVE_LANES(lane, n);
        IN_ORDER
        for (int i = 0; i < CELLS; i++) {
            const vf g = select((vf)(0.0f), LOAD(dy + i * LANES + lane), alive);
            const vf hat = select((vf)(0.0f), (LOAD(x + i * LANES + lane) - mean) * invstd, alive);
            sum += g;
            along = fma(g, hat, along);
        }
    }
    const float db = SUM_VF(sum), dw = SUM_VF(along);
    DB[c] = db;
    DW[c] = dw;
    const float factor = WEIGHT[c] * invstd, mean_dy = db / count, mean_along = dw / count;
    IN_ORDER
    for (int i = 0; i < CELLS; i++) {
        IN_ORDER
        for (int lane = 0; lane < LANES; lane += VW) {
            const vf hat = (LOAD(x + i * LANES + lane) - mean) * invstd;
            const vf dx = factor * (LOAD(dy + i * LANES + lane) - mean_dy - hat * mean_along);
            EPILOGUE((c * CELLS + i) * LANES + lane, select((vf)(0.0f), dx, LIVE_LANES(lane, n)))
        }
    }
}
