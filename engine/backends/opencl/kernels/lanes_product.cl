// OUT[r][lane] = start + sum over k of A(r, k) * X[k][lane]
//
// Dense forward (A = W, start = bias) and dX (A = transposed W, start = 0): the textbook's product with
// the sample innermost, so every load of X is one aligned register and every weight a broadcast.
// Assumes LANES is a multiple of VW * NV. The sum runs over k in order, one fma each.
//
// Pointers: A, X, bias (when HAS_BIAS); the epilogue's own. One work-item computes MR rows of NV registers.
//
// Tunables
//   MR  rows per work-item: with NV registers each they must fit the register file (8 x 2 of 32).
//   NV  registers of lanes per work-item: each weight that is loaded is used NV times.
//   A_AT(r, k)  where A keeps its element.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * (VW * NV);
    const int r0 = id1 * MR;
    vf sum[MR][NV];
    #pragma unroll
    for (int i = 0; i < MR; i++) {
        #pragma unroll
        for (int j = 0; j < NV; j++) {
#if HAS_BIAS
            sum[i][j] = (vf)(bias[min(r0 + i, M - 1)]);
#else
            sum[i][j] = (vf)(0.0f);
#endif
        }
    }
    for (int k = 0; k < K; k++) {
        vf x[NV];
        #pragma unroll
        for (int j = 0; j < NV; j++) x[j] = LOAD(X + k * LANES + lane + j * VW);
        #pragma unroll
        for (int i = 0; i < MR; i++) {
            const int r = M % MR == 0 ? r0 + i : min(r0 + i, M - 1);
            const vf a = (vf)(A[A_AT(r, k)]);
            #pragma unroll
            for (int j = 0; j < NV; j++) sum[i][j] = fma(a, x[j], sum[i][j]);
        }
    }
    #pragma unroll
    for (int i = 0; i < MR; i++) {
        if (M % MR == 0 || r0 + i < M) {
            #pragma unroll
            for (int j = 0; j < NV; j++) {
                EPILOGUE((r0 + i) * LANES + lane + j * VW, sum[i][j])
            }
        }
    }
}
