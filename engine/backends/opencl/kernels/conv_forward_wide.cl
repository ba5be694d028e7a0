// What conv_forward.cl computes, for kernels too wide for its registers: same sums, same order, no tiles.
//
// Pointers: WEIGHTS, X, bias (when HAS_BIAS); the epilogue's own.
// One work-item computes one output channel of one row for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int o = id2;
    const int group = o / OUT_C;
    const int i0 = max(0, (TOP - y * SY + DY - 1) / DY), i1 = min(KH, (IN_H + TOP - y * SY + DY - 1) / DY);
    for (int x = 0; x < OUT_W; x++) {
        const int left = x * SX - LEFT;
        const int j0 = max(0, (DX - 1 - left) / DX), j1 = min(KW, (IN_W - left + DX - 1) / DX);
#if HAS_BIAS
        vf sum = (vf)(bias[o]);
#else
        vf sum = (vf)(0.0f);
#endif
        for (int c = 0; c < IN_C; c++) {
            for (int i = i0; i < i1; i++) {
                __global const float *restrict row = X + ((group * IN_C + c) * IN_H + y * SY + i * DY - TOP) * (IN_W * LANES) + lane;
                __global const float *restrict w = WEIGHTS + ((o * IN_C + c) * KH + i) * KW;
                for (int j = j0; j < j1; j++) sum = fma((vf)(w[j]), LOAD(row + (left + j * DX) * LANES), sum);
            }
        }
        EPILOGUE(((o * OUT_H + y) * OUT_W + x) * LANES + lane, sum)
    }
}
