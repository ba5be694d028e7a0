// X[r][lane] = DATA[ORDER[pos + lane]][r] * scale + shift for lanes below n, else 0: the batch of a step.
//
// DATA is resident: one row of ROWS float32 or bytes per example. Scaling is a product and a sum, not an
// fma, as the reference does it.
// Pointers: DATA (float or uchar), ORDER, controls; the epilogue's own.
// With ALSO_ROWS the batch is written as rows of samples, too (TURNED, LANES x STRIDE), which the weight
// gradient of a dense layer wants: it is what the data already look like.
//
// One work-item gathers VW rows of VW lanes.

#if VW == 1
#define GATHER_CELLS(p) ((float)*(p))
#else
#define GATHER_CELLS(p) CONVERT_VF(CAT(vload, VW)(0, p))
#endif

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int r0 = id1 * VW;
    const int n = CONTROL_INT(LIVE);
    const int pos = CONTROL_INT(POSITION);
    vf square[VW];
    for (int s = 0; s < VW; s++) {
        square[s] = (vf)(0.0f);
        if (lane + s < n) {
            __global const DATA_TYPE *example = DATA + (size_t)ORDER[pos + lane + s] * ROWS + r0;
            if (ROWS % VW == 0 || r0 + VW <= ROWS) {
                square[s] = GATHER_CELLS(example) * SCALE + SHIFT;
            } else {
                float cell[VW];
                for (int i = 0; i < VW; i++) cell[i] = r0 + i < ROWS ? (float)example[i] * SCALE + SHIFT : 0.0f;
                square[s] = TAKE(cell);
            }
        }
#if ALSO_ROWS
        STORE(square[s], TURNED + (lane + s) * STRIDE + r0);
#endif
    }
    turn(square);
    #pragma unroll
    for (int i = 0; i < VW; i++) {
        if (r0 + i < ROWS) {
            EPILOGUE((r0 + i) * LANES + lane, square[i])
        }
    }
}
#undef GATHER_CELLS
