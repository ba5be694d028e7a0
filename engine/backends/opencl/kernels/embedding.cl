// OUT[f][t][lane] = TABLE[token of t, lane][f]: each token becomes its row of the table.
//
// A token is rounded and brought into 0 ... COUNT - 1, so that nothing outside the table is read.
// Pointers: TABLE (COUNT x WIDTH), TOKENS (LENGTH x LANES); the epilogue's own.
// One work-item computes one time for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int t = id1;
    float token[VW];
    PUT(fmin(rint(fmax(LOAD(TOKENS + t * LANES + lane), (vf)(0.0f))), (vf)(COUNT - 1)), token);
    for (int f = 0; f < WIDTH; f++) {
        float cell[VW];
        for (int s = 0; s < VW; s++) cell[s] = TABLE[(int)token[s] * WIDTH + f];
        EPILOGUE((f * LENGTH + t) * LANES + lane, TAKE(cell))
    }
}
