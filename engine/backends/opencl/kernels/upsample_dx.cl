// DX[c][y][x] = the sum of DY over all pixels that read it, times their weight, row by row.
//
// Pointers: DY (CHANNELS x IN_H * FY x IN_W * FX); the epilogue's own. One work-item computes one row of DX for VW
// lanes. WEIGHT(at, mine, f, size): what pixel `at` of the result reads of pixel `mine` of `size`.

#if BILINEAR
#define WEIGHT(at, mine, f, size) \
    ((max(2 * (at) + 1 - (f), 0) / (2 * (f)) == (mine) \
        ? 1.0f - (float)(max(2 * (at) + 1 - (f), 0) % (2 * (f))) / (float)(2 * (f)) : 0.0f) + \
     (min(max(2 * (at) + 1 - (f), 0) / (2 * (f)) + 1, (size) - 1) == (mine) \
        ? (float)(max(2 * (at) + 1 - (f), 0) % (2 * (f))) / (float)(2 * (f)) : 0.0f))
#define REACH 1
#else
#define WEIGHT(at, mine, f, size) 1.0f
#define REACH 0
#endif

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int c = id2;
    const int from = max(0, (y - REACH) * FY), to = min(IN_H * FY, (y + 1 + REACH) * FY);
    for (int x = 0; x < IN_W; x++) {
        const int first = max(0, (x - REACH) * FX), last = min(IN_W * FX, (x + 1 + REACH) * FX);
        vf sum = (vf)(0.0f);
        for (int r = from; r < to; r++) {
            const float down = WEIGHT(r, y, FY, IN_H);
            for (int q = first; q < last; q++) {
                const float weight = down * WEIGHT(q, x, FX, IN_W);
                sum = fma((vf)(weight), LOAD(DY + ((c * (IN_H * FY) + r) * (IN_W * FX) + q) * LANES + lane), sum);
            }
        }
        EPILOGUE(((c * IN_H + y) * IN_W + x) * LANES + lane, sum)
    }
}

#undef WEIGHT
#undef REACH
