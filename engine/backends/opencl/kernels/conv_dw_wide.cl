// What conv_dw.cl computes, for kernels too wide for its registers: same sums, same order, one tap each.
//
// Pointers: D (D_C, D_H, D_W), X (IN_C, IN_H, IN_W), controls; the epilogue's own (EPILOGUE_S).
// One work-item computes one weight: tap i, j of output channel o for input channel c of its group.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int j = id0 % KW;
    const int i = id0 / KW % KH;
    const int c = id0 / (KW * KH);
    const int o = id1;
    const int group = o / D_C;
    const int n = CONTROL_INT(LIVE);
    const int y0 = max(0, (TOP - i * DY + SY - 1) / SY);
    const int y1 = min(D_H, (IN_H - 1 + TOP - i * DY + SY) / SY);
    const int x0 = max(0, (LEFT - j * DX + SX - 1) / SX);
    const int x1 = min(D_W, (IN_W - 1 + LEFT - j * DX + SX) / SX);
    vf sum = (vf)(0.0f);
    for (int lane = 0; lane < n; lane += VW) {
        for (int y = y0; y < y1; y++) {
            __global const float *restrict d = D + (o * D_H + y) * (D_W * LANES) + lane;
            __global const float *restrict x = X + ((group * IN_C + c) * IN_H + y * SY + i * DY - TOP) * (IN_W * LANES) + lane;
            for (int at = x0; at < x1; at++) {
                sum = fma(LOAD(d + at * LANES), LOAD(x + (at * SX + j * DX - LEFT) * LANES), sum);
            }
        }
    }
    EPILOGUE_S((((o * IN_C + c) * KH + i) * KW + j), SUM_VF(sum))
}
