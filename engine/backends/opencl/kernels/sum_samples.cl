// OUT[c] = sum over all cells and lanes of D[c]: the gradient of a bias.
//
// Lanes from n on are zero in a gradient, so all lanes are added. Each lane adds its cells in order,
// then the lanes of a register are halved (SUM_VF), then registers are added in order of their samples.
//
// Pointers: D (CHANNELS x CELLS x LANES); the epilogue's own. One work-item per channel.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int c = id0;
    float total = 0.0f;
    IN_ORDER
    for (int lane = 0; lane < LANES; lane += VW) {
        vf sum = (vf)(0.0f);
        IN_ORDER
        for (int i = 0; i < CELLS; i++) sum += LOAD(D + (c * CELLS + i) * LANES + lane);
        total += SUM_VF(sum);
    }
    EPILOGUE_S(c, total)
}
