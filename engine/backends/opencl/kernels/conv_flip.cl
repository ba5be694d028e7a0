// FLIPPED[c][o][KH-1-i][KW-1-j] = WEIGHTS[o][c][i][j]: kernels as the data gradient needs them, group by group.
//
// Done once per step; reading them in place would cost the gradient 2 to 3 times its time.
// Pointers: WEIGHTS, FLIPPED. One work-item per input channel c of all groups.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int group = id0 / IN_C;
    const int c = id0 - group * IN_C;
    for (int o = 0; o < OUT_C; o++) {
        for (int t = 0; t < KH * KW; t++) {
            FLIPPED[(id0 * OUT_C + o) * (KH * KW) + KH * KW - 1 - t] = WEIGHTS[((group * OUT_C + o) * IN_C + c) * (KH * KW) + t];
        }
    }
}
