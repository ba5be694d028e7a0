// Each gradient goes to the cell that won its window: DX sums DY over the windows a cell has won, in the
// order of its place in them.
//
// Pointers: DY (CHANNELS x OUT_H x OUT_W), ARGMAX (int); the epilogue's own.
// One work-item computes one row of DX for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int c = id2;
    IN_ORDER
    for (int x = 0; x < IN_W; x++) {
        vf sum = (vf)(0.0f);
#if KH * KW <= UNROLLED
        #pragma unroll
#endif
        IN_ORDER
        for (int i = 0; i < KH; i++) {
            const int r = (y + TOP - i) / SY;
            if (y + TOP < i || (y + TOP - i) % SY != 0 || r >= OUT_H) continue;
#if KH * KW <= UNROLLED
            #pragma unroll
#endif
            IN_ORDER
            for (int j = 0; j < KW; j++) {
                const int q = (x + LEFT - j) / SX;
                if (x + LEFT < j || (x + LEFT - j) % SX != 0 || q >= OUT_W) continue;
                const int cell = ((c * OUT_H + r) * OUT_W + q) * LANES + lane;
                const vi won = LOAD_INT(ARGMAX + cell) == (vi)(i * KW + j);
                sum += select((vf)(0.0f), LOAD(DY + cell), won);
            }
        }
        EPILOGUE(((c * IN_H + y) * IN_W + x) * LANES + lane, sum)
    }
}
