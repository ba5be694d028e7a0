// M[6][lane]: a random rotation, scaling and shift about the picture's center for each sample, mapping
// input to output; rows a, b, tx, c, d, ty. Random numbers: features 0 to 3 of this step's stream.
//
// Pointers: OUT, controls. One work-item per register of lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vu word[4];
    philox(0u, CONVERT_VU(LANE_NUMBERS + (vi)(lane)), STREAM, as_uint(CONTROL(STEP)), as_uint(CONTROL(SEED_LOW)),
           as_uint(CONTROL(SEED_HIGH)), word);
    vf u[4];
    #pragma unroll
    for (int i = 0; i < 4; i++) u[i] = 2.0f * FRACTION(word[i]) - 1.0f;
    const vf angle = u[0] * (CONTROL(ROTATION) * 0.017453292519943295f);
    const vf size = 1.0f + u[1] * (CONTROL(SCALE) / 100.0f);
    const float cx = (WIDTH - 1) * 0.5f, cy = (HEIGHT - 1) * 0.5f;
    const vf a = size * cos(angle), b = -size * sin(angle);
    STORE(a, OUT + 0 * LANES + lane);
    STORE(b, OUT + 1 * LANES + lane);
    STORE(cx + u[2] * CONTROL(SHIFT) - a * cx - b * cy, OUT + 2 * LANES + lane);
    STORE(-b, OUT + 3 * LANES + lane);
    STORE(a, OUT + 4 * LANES + lane);
    STORE(cy + u[3] * CONTROL(SHIFT) + b * cx - a * cy, OUT + 5 * LANES + lane);
}
