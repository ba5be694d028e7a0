// MASK = 0 with probability p, else 1 / (1 - p); result X * MASK.
//
// Four rows share one Philox block: counter (row / 4, sample, stream, step), word row % 4.
//
// Pointers: X (ROWS x LANES), MASK, controls; the epilogue's own.
// One work-item computes four rows of VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int group = id1;
    const float p = CONTROL(RATE);
    const vf keep = (vf)(1.0f / (1.0f - p));
    vu word[4];
    philox((uint)group, CONVERT_VU(LANE_NUMBERS + (vi)(lane)), STREAM, as_uint(CONTROL(STEP)),
           as_uint(CONTROL(SEED_LOW)), as_uint(CONTROL(SEED_HIGH)), word);
    #pragma unroll
    for (int i = 0; i < 4; i++) {
        const int row = group * 4 + i;
        if (row < ROWS) {
            const int cell = row * LANES + lane;
            const vf mask = select((vf)(0.0f), keep, FRACTION(word[i]) >= (vf)(p));
            STORE(mask, MASK + cell);
            EPILOGUE(cell, LOAD(X + cell) * mask)
        }
    }
}
