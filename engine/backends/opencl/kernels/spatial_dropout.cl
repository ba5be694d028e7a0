// MASK = 0 for a whole channel with probability p, else 1 / (1 - p); result X * MASK.
//
// Four channels share one Philox block: counter (channel / 4, sample, stream, step), word channel % 4.
//
// Pointers: X (CHANNELS x CELLS x LANES), MASK, controls; the epilogue's own.
// One work-item computes CHUNK cells of four channels for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int group = id1;
    const int first = id2 * CHUNK, last = min(CELLS, first + CHUNK);
    const float p = CONTROL(RATE);
    const vf keep = (vf)(1.0f / (1.0f - p));
    vu word[4];
    philox((uint)group, CONVERT_VU(LANE_NUMBERS + (vi)(lane)), STREAM, as_uint(CONTROL(STEP)),
           as_uint(CONTROL(SEED_LOW)), as_uint(CONTROL(SEED_HIGH)), word);
    for (int i = 0; i < 4; i++) {
        const int channel = group * 4 + i;
        if (channel < CHANNELS) {
            const vf mask = select((vf)(0.0f), keep, FRACTION(word[i]) >= (vf)(p));
            for (int k = first; k < last; k++) {
                const int cell = (channel * CELLS + k) * LANES + lane;
                STORE(mask, MASK + cell);
                EPILOGUE(cell, LOAD(X + cell) * mask)
            }
        }
    }
}
