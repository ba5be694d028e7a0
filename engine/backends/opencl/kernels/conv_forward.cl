// OUT[o][y][x][lane] = start + sum over c, i, j of WEIGHTS[o][c][i][j] * X[c][y*SY+i*DY-TOP][x*SX+j*DX-LEFT][lane]
//
// Direct convolution in C,H,W,N. The forward pass (start = bias), and the data gradient for stride 1: there
// X is the incoming gradient, WEIGHTS are flipped and transposed (conv_flip.cl) and the pads are
// (k - 1) * dilation - pad (they may be negative). IN_C and OUT_C are those of one of GROUPS. Taps in the border are skipped, not multiplied by zero: rows by
// the loop's bounds, columns at compile time, since the tiles that touch an edge are unrolled with
// constant x (with dilation there may be many of them: they stay a loop). The sum runs over c, i, j in order, one fma each.
//
// Pointers: WEIGHTS, X, bias (when HAS_BIAS); the epilogue's own.
// One work-item computes OT channels of one group and row for VW lanes.
//
// Tunables
//   OT  output channels per tile: each pixel that is loaded is used OT times.
//   XT  neighboring pixels per tile: each weight is used XT times; OT * XT registers hold the sums.

#define COLUMN(x, j) ((x) * SX + (j) * DX - LEFT)
#if DX == 1
#define COUNT ((XT - 1) * SX + KW)
#define AT(t, j) ((t) * SX + (j))
#define PLACE(i) COLUMN(x0, i)
#define EDGE _Pragma("unroll")
#else
#define COUNT (XT * KW)
#define AT(t, j) ((t) * KW + (j))
#define PLACE(i) COLUMN(x0 + (i) / KW, (i) % KW)
#define EDGE
#endif
#define TILES ((OUT_C + OT - 1) / OT)

FUNCTION void CAT(NAME, _tile)(POINTER_ARGUMENTS const int x0, const int inside, const int group, const int o0,
                             const int y, const int lane) {
    vf sum[OT][XT];
    #pragma unroll
    for (int o = 0; o < OT; o++) {
        #pragma unroll
        for (int t = 0; t < XT; t++) {
#if HAS_BIAS
            sum[o][t] = (vf)(bias[group * OUT_C + min(o0 + o, OUT_C - 1)]);
#else
            sum[o][t] = (vf)(0.0f);
#endif
        }
    }
    const int i0 = max(0, (TOP - y * SY + DY - 1) / DY), i1 = min(KH, (IN_H + TOP - y * SY + DY - 1) / DY);
    for (int c = 0; c < IN_C; c++) {
        for (int i = i0; i < i1; i++) {
            __global const float *restrict row = X + ((group * IN_C + c) * IN_H + y * SY + i * DY - TOP) * (IN_W * LANES) + lane;
            vf x[COUNT];
            #pragma unroll
            for (int j = 0; j < COUNT; j++) {
                const int at = PLACE(j);
                x[j] = inside || (at >= 0 && at < IN_W) ? LOAD(row + at * LANES) : (vf)(0.0f);
            }
            #pragma unroll
            for (int o = 0; o < OT; o++) {
                const int channel = OUT_C % OT == 0 ? o0 + o : min(o0 + o, OUT_C - 1);
                __global const float *restrict w = WEIGHTS + (((group * OUT_C + channel) * IN_C + c) * KH + i) * KW;
                #pragma unroll
                for (int j = 0; j < KW; j++) {
                    const vf tap = (vf)(w[j]);
                    #pragma unroll
                    for (int t = 0; t < XT; t++) {
                        const int at = COLUMN(x0 + t, j);
                        if (inside || (at >= 0 && at < IN_W)) sum[o][t] = fma(tap, x[AT(t, j)], sum[o][t]);
                    }
                }
            }
        }
    }
    #pragma unroll
    for (int o = 0; o < OT; o++) {
        if (OUT_C % OT == 0 || o0 + o < OUT_C) {
            #pragma unroll
            for (int t = 0; t < XT; t++) {
                if (OUT_W % XT == 0 || x0 + t < OUT_W) {
                    EPILOGUE((((group * OUT_C + o0 + o) * OUT_H + y) * OUT_W + x0 + t) * LANES + lane, sum[o][t])
                }
            }
        }
    }
}

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int group = GROUPS == 1 ? 0 : id2 / TILES;
    const int o0 = (id2 - group * TILES) * OT;
    // columns from INSIDE_FROM to INSIDE_TO (multiples of XT) have all their taps inside the picture
    EDGE
    for (int x0 = 0; x0 < INSIDE_FROM; x0 += XT) CAT(NAME, _tile)(POINTER_VALUES x0, 0, group, o0, y, lane);
    for (int x0 = INSIDE_FROM; x0 < INSIDE_TO; x0 += XT) CAT(NAME, _tile)(POINTER_VALUES x0, 1, group, o0, y, lane);
    EDGE
    for (int x0 = INSIDE_TO; x0 < OUT_W; x0 += XT) CAT(NAME, _tile)(POINTER_VALUES x0, 0, group, o0, y, lane);
}
#undef COLUMN
#undef COUNT
#undef AT
#undef PLACE
#undef EDGE
#undef TILES
