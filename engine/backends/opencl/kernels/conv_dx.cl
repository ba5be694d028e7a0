// OUT[c][y][x][lane] = start + sum over o, i, j of WEIGHTS[o][c][i][j] * D[o][(y+TOP-i*DY)/SY][(x+LEFT-j*DX)/SX][lane]
//
// The data gradient of a convolution for any stride, and the way forward of its transpose (start = bias). IN_C
// and D_C are those of one of GROUPS. Only taps whose division leaves no rest count.
// Stride 1 is served by conv_forward.cl, which is several times faster.
//
// Pointers: WEIGHTS (D_C, IN_C, KH, KW), D (D_C, D_H, D_W), bias (when HAS_BIAS); the epilogue's own.
// One work-item computes OT channels of one group and row for VW lanes. The sum runs over o, i, j in order.

#define TILES ((IN_C + OT - 1) / OT)

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int group = GROUPS == 1 ? 0 : id2 / TILES;
    const int c0 = (id2 - group * TILES) * OT;
    for (int x = 0; x < IN_W; x++) {
        vf sum[OT];
        #pragma unroll
        for (int c = 0; c < OT; c++) {
#if HAS_BIAS
            sum[c] = (vf)(bias[group * IN_C + min(c0 + c, IN_C - 1)]);
#else
            sum[c] = (vf)(0.0f);
#endif
        }
        for (int o = group * D_C; o < (group + 1) * D_C; o++) {
            for (int i = 0; i < KH; i++) {
                const int r = y + TOP - i * DY;
                if (r < 0 || r % SY != 0 || r / SY >= D_H) continue;
                for (int j = 0; j < KW; j++) {
                    const int q = x + LEFT - j * DX;
                    if (q < 0 || q % SX != 0 || q / SX >= D_W) continue;
                    const vf d = LOAD(D + ((o * D_H + r / SY) * D_W + q / SX) * LANES + lane);
                    #pragma unroll
                    for (int c = 0; c < OT; c++) {
                        const int channel = min(c0 + c, IN_C - 1);
                        sum[c] = fma((vf)(WEIGHTS[((o * IN_C + channel) * KH + i) * KW + j]), d, sum[c]);
                    }
                }
            }
        }
        #pragma unroll
        for (int c = 0; c < OT; c++) {
            if (c0 + c < IN_C) {
                EPILOGUE((((group * IN_C + c0 + c) * IN_H + y) * IN_W + x) * LANES + lane, sum[c])
            }
        }
    }
}
#undef TILES
