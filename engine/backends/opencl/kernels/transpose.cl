// T[lane][r] = X[r][lane]: samples become rows, for the weight gradient of a dense layer.
//
// Pointers: X (ROWS x LANES), T (LANES x STRIDE, STRIDE = ROWS padded to VW). Cells beyond ROWS become 0.
// One work-item turns a square of VW rows and VW lanes around in registers.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int r0 = id1 * VW;
    vf square[VW];
    #pragma unroll
    for (int i = 0; i < VW; i++) square[i] = r0 + i < ROWS ? LOAD(X + (r0 + i) * LANES + lane) : (vf)(0.0f);
    turn(square);
    #pragma unroll
    for (int i = 0; i < VW; i++) STORE(square[i], T + (lane + i) * STRIDE + r0);
}
