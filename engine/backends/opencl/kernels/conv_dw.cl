// OUT[o][c][i][j] = sum over samples, y, x of D[o][y][x] * X[c][y*SY+i*DY-TOP][x*SX+j*DX-LEFT]
//
// The weight gradient. Lanes collect their own sums in registers over all rows and columns, the lanes
// are halved at the end (SUM_VF): order is fixed by the loops alone. Lanes from n on are zero in D and
// finite in X, so they add nothing; registers that start beyond n are not read. Border taps are skipped
// as in conv_forward.cl. IN_C and D_C are those of one of GROUPS.
//
// Pointers: D (D_C, D_H, D_W), X (IN_C, IN_H, IN_W), controls; the epilogue's own (EPILOGUE_S).
// One work-item computes one row i of the kernels of OT output channels for one input channel c of all groups.
//
// Tunables
//   OT  output channels per work-item: OT * KW registers hold the sums.

#define COLUMN(x, j) ((x) * SX + (j) * DX - LEFT)
#if DX == 1
#define EDGE _Pragma("unroll")
#else
#define EDGE
#endif

FUNCTION void CAT(NAME, _column)(vf sum[OT][KW], __global const float *restrict d, __global const float *restrict x,
                               const int at, const int inside) {
    vf pixel[KW];
    #pragma unroll
    for (int j = 0; j < KW; j++) {
        const int column = COLUMN(at, j);
        pixel[j] = inside || (column >= 0 && column < IN_W) ? LOAD(x + column * LANES) : (vf)(0.0f);
    }
    #pragma unroll
    for (int o = 0; o < OT; o++) {
        const vf g = LOAD(d + (min(o, D_C - 1) * (D_H * D_W) + at) * LANES);
        #pragma unroll
        for (int j = 0; j < KW; j++) {
            const int column = COLUMN(at, j);
            if (inside || (column >= 0 && column < IN_W)) sum[o][j] = fma(g, pixel[j], sum[o][j]);
        }
    }
}

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int i = id0 % KH;
    const int c = id0 / KH;
    const int group = GROUPS == 1 ? 0 : c / IN_C;
    // the last tile is moved back so that it ends with the last channel: its first channels are computed
    // twice, with the same result, and written once
    const int first = id1 * OT;
    const int o0 = max(0, min(first, D_C - OT));
    const int n = CONTROL_INT(LIVE);
    const int y0 = max(0, (TOP - i * DY + SY - 1) / SY);
    const int y1 = min(D_H, (IN_H - 1 + TOP - i * DY + SY) / SY);
    vf sum[OT][KW];
    #pragma unroll
    for (int o = 0; o < OT; o++) {
        #pragma unroll
        for (int j = 0; j < KW; j++) sum[o][j] = (vf)(0.0f);
    }
    for (int lane = 0; lane < n; lane += VW) {
        for (int y = y0; y < y1; y++) {
            __global const float *restrict d = D + ((group * D_C + o0) * D_H + y) * (D_W * LANES) + lane;
            __global const float *restrict x = X + (c * IN_H + y * SY + i * DY - TOP) * (IN_W * LANES) + lane;
            EDGE
            for (int at = 0; at < INSIDE_FROM; at++) CAT(NAME, _column)(sum, d, x, at, 0);
            for (int at = INSIDE_FROM; at < INSIDE_TO; at++) CAT(NAME, _column)(sum, d, x, at, 1);
            EDGE
            for (int at = INSIDE_TO; at < D_W; at++) CAT(NAME, _column)(sum, d, x, at, 0);
        }
    }
    #pragma unroll
    for (int o = 0; o < OT; o++) {
        if (o0 + o >= first && o0 + o < D_C) {
            #pragma unroll
            for (int j = 0; j < KW; j++) {
                EPILOGUE_S(((((group * D_C + o0 + o) * IN_C + c - group * IN_C) * KH + i) * KW + j), SUM_VF(sum[o][j]))
            }
        }
    }
}
#undef COLUMN
#undef EDGE
