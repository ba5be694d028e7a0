// OUT[c][y][x][lane] = X[c] at M^-1 (x, y) of the lane's own matrix.
//
// Coordinates are computed for all lanes of a register at once; the taps are read lane by lane,
// since every sample looks elsewhere. A singular matrix reads at the origin.
//
// Pointers: X (CHANNELS x HEIGHT x WIDTH x LANES), M (6 x LANES); the epilogue's own.
// BORDER: 0 zero, 1 edge, 2 reflect (mirrored, the edge not repeated).
// SIDE: taps in each direction: 1 nearest, 2 bilinear, 4 bicubic (slope -0.75).
// One work-item computes one row of VW lanes, all channels.

FUNCTION int CAT(NAME, _fold)(int i, const int size) {
#if BORDER == 2
    if (size == 1) return 0;
    i = abs(i) % (2 * (size - 1));
    i = i < size ? i : 2 * (size - 1) - i;
#endif
    return clamp(i, 0, size - 1);
}

#if SIDE == 4
FUNCTION void CAT(NAME, _cubic)(const vf f, vf *w) {
    const float a = -0.75f;
    const vf g = f + 1.0f, h = 1.0f - f;
    w[0] = ((a * g - 5.0f * a) * g + 8.0f * a) * g - 4.0f * a;
    w[1] = ((a + 2.0f) * f - (a + 3.0f)) * f * f + 1.0f;
    w[2] = ((a + 2.0f) * h - (a + 3.0f)) * h * h + 1.0f;
    w[3] = 1.0f - w[0] - w[1] - w[2];
}
#endif

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const vf a = LOAD(M + 0 * LANES + lane), b = LOAD(M + 1 * LANES + lane), tx = LOAD(M + 2 * LANES + lane);
    const vf c = LOAD(M + 3 * LANES + lane), d = LOAD(M + 4 * LANES + lane), ty = LOAD(M + 5 * LANES + lane);
    // coordinates up to some thousand pixels leave float32 few digits: as few roundings as can be
    const vf det = fma(a, d, -(b * c));
    const vi singular = det == (vf)(0.0f);
    const vf v = (vf)(y) - ty;
    for (int x = 0; x < WIDTH; x++) {
        const vf u = (vf)(x) - tx;
        // beyond this range every tap is border; the limit keeps the conversion to int defined
        const vf px = clamp(select(fma(d, u, -(b * v)) / det, (vf)(0.0f), singular), (vf)(-1e6f), (vf)(1e6f));
        const vf py = clamp(select(fma(a, v, -(c * u)) / det, (vf)(0.0f), singular), (vf)(-1e6f), (vf)(1e6f));
#if SIDE == 1
        const vf left = floor(px + 0.5f), top = floor(py + 0.5f);
#elif SIDE == 2
        const vf left = floor(px), top = floor(py);
        const vf fx = px - left, fy = py - top;
        const vf across[SIDE] = {1.0f - fx, fx}, down[SIDE] = {1.0f - fy, fy};
#else
        const vf left = floor(px) - 1.0f, top = floor(py) - 1.0f;
        vf across[SIDE], down[SIDE];
        CAT(NAME, _cubic)(px - floor(px), across);
        CAT(NAME, _cubic)(py - floor(py), down);
#endif
        float column[VW], row[VW];
        PUT(left, column);
        PUT(top, row);
        int at[SIDE * SIDE][VW], on[SIDE * SIDE][VW];
        for (int s = 0; s < VW; s++) {
            #pragma unroll
            for (int tap = 0; tap < SIDE * SIDE; tap++) {
                const int i = (int)row[s] + tap / SIDE, j = (int)column[s] + tap % SIDE;
                on[tap][s] = BORDER != 0 || (i >= 0 && i < HEIGHT && j >= 0 && j < WIDTH);
                at[tap][s] = (CAT(NAME, _fold)(i, HEIGHT) * WIDTH + CAT(NAME, _fold)(j, WIDTH)) * LANES + lane + s;
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++) {
            float value[SIDE * SIDE][VW];
            for (int s = 0; s < VW; s++) {
                #pragma unroll
                for (int tap = 0; tap < SIDE * SIDE; tap++) {
                    value[tap][s] = on[tap][s] ? X[channel * (HEIGHT * WIDTH * LANES) + at[tap][s]] : 0.0f;
                }
            }
#if SIDE == 1
            const vf sum = TAKE(value[0]);
#else
            vf sum = down[0] * across[0] * TAKE(value[0]);
            #pragma unroll
            for (int tap = 1; tap < SIDE * SIDE; tap++) sum += down[tap / SIDE] * across[tap % SIDE] * TAKE(value[tap]);
#endif
            EPILOGUE(((channel * HEIGHT + y) * WIDTH + x) * LANES + lane, sum)
        }
    }
}
