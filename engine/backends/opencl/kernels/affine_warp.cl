// OUT[c][y][x][lane] = X[c] at M^-1 (x, y) of the lane's own matrix, bilinear.
//
// Coordinates are computed for all lanes of a register at once; the four taps are read lane by lane,
// since every sample looks elsewhere. A singular matrix reads at the origin.
//
// Pointers: X (CHANNELS x HEIGHT x WIDTH x LANES), M (6 x LANES); the epilogue's own.
// BORDER: 0 zero, 1 edge, 2 reflect (mirrored, the edge not repeated).
// One work-item computes one row of VW lanes, all channels.

FUNCTION int CAT(NAME, _fold)(int i, const int size) {
#if BORDER == 2
    if (size == 1) return 0;
    i = abs(i) % (2 * (size - 1));
    i = i < size ? i : 2 * (size - 1) - i;
#endif
    return clamp(i, 0, size - 1);
}

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
        const vf left = floor(px), top = floor(py);
        const vf fx = px - left, fy = py - top;
        float column[VW], row[VW];
        PUT(left, column);
        PUT(top, row);
        int at[4][VW], on[4][VW];
        for (int s = 0; s < VW; s++) {
            #pragma unroll
            for (int tap = 0; tap < 4; tap++) {
                const int i = (int)row[s] + tap / 2, j = (int)column[s] + tap % 2;
                on[tap][s] = BORDER != 0 || (i >= 0 && i < HEIGHT && j >= 0 && j < WIDTH);
                at[tap][s] = (CAT(NAME, _fold)(i, HEIGHT) * WIDTH + CAT(NAME, _fold)(j, WIDTH)) * LANES + lane + s;
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++) {
            float value[4][VW];
            for (int s = 0; s < VW; s++) {
                #pragma unroll
                for (int tap = 0; tap < 4; tap++) {
                    value[tap][s] = on[tap][s] ? X[channel * (HEIGHT * WIDTH * LANES) + at[tap][s]] : 0.0f;
                }
            }
            const vf t0 = TAKE(value[0]), t1 = TAKE(value[1]), t2 = TAKE(value[2]), t3 = TAKE(value[3]);
            const vf sum = (1.0f - fy) * (1.0f - fx) * t0 + (1.0f - fy) * fx * t1 + fy * (1.0f - fx) * t2 + fy * fx * t3;
            EPILOGUE(((channel * HEIGHT + y) * WIDTH + x) * LANES + lane, sum)
        }
    }
}
