// T[lane][r] = X[r][lane]: samples become rows, for the weight gradient of a dense layer.
//
// Pointers: X (ROWS x LANES), T (LANES x STRIDE, STRIDE = ROWS padded to PW). Cells beyond ROWS become 0.
// One work-item turns PW rows of VW lanes around.

__kernel void NAME(ARGUMENTS) {
    POINTERS
    const int lane = get_global_id(0) * VW;
    const int r0 = get_global_id(1) * PW;
    float cell[PW][VW];
    #pragma unroll
    for (int i = 0; i < PW; i++) {
        for (int s = 0; s < VW; s++) cell[i][s] = r0 + i < ROWS ? X[(r0 + i) * LANES + lane + s] : 0.0f;
    }
    for (int s = 0; s < VW; s++) {
        #pragma unroll
        for (int i = 0; i < PW; i++) T[(lane + s) * STRIDE + r0 + i] = cell[i][s];
    }
}
