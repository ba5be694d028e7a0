// Each gradient is shared out equally over its window: DX sums the shares, by place in the window.
//
// Pointers: DY (CHANNELS x OUT_H x OUT_W); the epilogue's own.
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
                sum += LOAD(DY + ((c * OUT_H + r) * OUT_W + q) * LANES + lane) / (vf)(KH * KW);
            }
        }
        EPILOGUE(((c * IN_H + y) * IN_W + x) * LANES + lane, sum)
    }
}
