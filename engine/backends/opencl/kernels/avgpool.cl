// The mean of each window; the border counts as zeros.
//
// Pointers: X (CHANNELS x IN_H x IN_W); the epilogue's own. One work-item computes one row of VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int y = id1;
    const int c = id2;
    IN_ORDER
    for (int x = 0; x < OUT_W; x++) {
        vf sum = (vf)(0.0f);
#if KH * KW <= UNROLLED
        #pragma unroll
#endif
        IN_ORDER
        for (int i = 0; i < KH; i++) {
            const int row = y * SY + i - TOP;
            if (row < 0 || row >= IN_H) continue;
#if KH * KW <= UNROLLED
            #pragma unroll
#endif
            IN_ORDER
            for (int j = 0; j < KW; j++) {
                const int column = x * SX + j - LEFT;
                if (column >= 0 && column < IN_W) sum += LOAD(X + ((c * IN_H + row) * IN_W + column) * LANES + lane);
            }
        }
        EPILOGUE(((c * OUT_H + y) * OUT_W + x) * LANES + lane, sum / (vf)(KH * KW))
    }
}
