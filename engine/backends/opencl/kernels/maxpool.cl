// The largest cell of each window, and its place in the window (row by row). Ties take the first cell;
// a NaN wins, so that it is seen. Cells of the border never win.
//
// Pointers: X (CHANNELS x IN_H x IN_W), ARGMAX (int); the epilogue's own.
// One work-item computes one row of VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int c = id2;
    for (int x = 0; x < OUT_W; x++) {
        vf best = (vf)(-INFINITY);
        vi where = (vi)(0);
#if KH * KW <= UNROLLED
        #pragma unroll
#endif
        for (int i = 0; i < KH; i++) {
            const int row = y * SY + i - TOP;
            if (row < 0 || row >= IN_H) continue;
#if KH * KW <= UNROLLED
            #pragma unroll
#endif
            for (int j = 0; j < KW; j++) {
                const int column = x * SX + j - LEFT;
                if (column < 0 || column >= IN_W) continue;
                const vf cell = LOAD(X + ((c * IN_H + row) * IN_W + column) * LANES + lane);
                const vi wins = !(cell <= best) & (best == best);
                best = select(best, cell, wins);
                where = select(where, (vi)(i * KW + j), wins);
            }
        }
        const int cell = ((c * OUT_H + y) * OUT_W + x) * LANES + lane;
        STORE_INT(where, ARGMAX + cell);
        EPILOGUE(cell, best)
    }
}
