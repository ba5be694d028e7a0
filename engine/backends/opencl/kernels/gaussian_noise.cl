// NOISE = standard normal numbers, result X + SIGMA * NOISE.
//
// A word becomes a normal number as in engine/gaussian.py: whole numbers choose the octave and the place in it, a
// polynomial makes the number. No fma here: the bits are those of NumPy, on every device.
// Four rows share one Philox block: counter (row / 4, sample, stream, step), word row % 4.
//
// Pointers: X (ROWS x LANES), NOISE, controls; the epilogue's own. One work-item computes four rows of VW lanes.

__constant float CAT(NAME, _octaves)[31][5] = {OCTAVES};

FUNCTION float CAT(NAME, _normal)(uint word) {
    const uint tail = (word & 0x7FFFFFFFu) | 1u;
    const int octave = (int)clz(tail) - 1;
    const uint place = ((tail << octave) & 0x3FFFFFFFu) >> 6;
    const float g = (float)((int)place - (1 << 23)) * 1.1920928955078125e-7f;
    __constant float *c = CAT(NAME, _octaves)[octave];
    float made = c[4] * g + c[3];
    made = made * g + c[2];
    made = made * g + c[1];
    made = made * g + c[0];
    return word >> 31 ? -made : made;
}

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int group = id1;
    vu word[4];
    philox((uint)group, CONVERT_VU(LANE_NUMBERS + (vi)(lane)), STREAM, as_uint(CONTROL(STEP)),
           as_uint(CONTROL(SEED_LOW)), as_uint(CONTROL(SEED_HIGH)), word);
    for (int i = 0; i < 4; i++) {
        const int row = group * 4 + i;
        if (row < ROWS) {
            const int cell = row * LANES + lane;
            float one[VW];
            for (int k = 0; k < VW; k++) one[k] = CAT(NAME, _normal)(((const uint *)&word[i])[k]);
            const vf noise = TAKE(one);
            STORE(noise, NOISE + cell);
            EPILOGUE(cell, LOAD(X + cell) + CONTROL(SIGMA) * noise)
        }
    }
}
