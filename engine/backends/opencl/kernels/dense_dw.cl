// DW[m][k] = sum over the live samples s of D[m][s] * XT[s][k]
//
// The weight gradient as a sum of outer products, sample after sample: lanes from n on are never read,
// and no register has to be summed across. XT is X with samples as rows (transpose.cl).
//
// Pointers: D (M x LANES), XT (LANES x STRIDE), controls; the epilogue's own. The epilogue comes in two
// forms: EPILOGUE_P for PW cells of a row at once, EPILOGUE_S for the single cells at a row's end.
//
// Tunables
//   MR  rows of DW per work-item.   NV  registers of PW columns per work-item.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int n = CONTROL_INT(LIVE);
    const int k0 = id0 * (PW * NV);
    const int m0 = id1 * MR;
    pf sum[MR][NV];
    #pragma unroll
    for (int i = 0; i < MR; i++) {
        #pragma unroll
        for (int j = 0; j < NV; j++) sum[i][j] = (pf)(0.0f);
    }
    for (int s = 0; s < n; s++) {
        pf x[NV];
        #pragma unroll
        for (int j = 0; j < NV; j++) x[j] = LOAD_PF(XT + s * STRIDE + min(k0 + j * PW, STRIDE - PW));
        #pragma unroll
        for (int i = 0; i < MR; i++) {
            const pf d = (pf)(D[min(m0 + i, M - 1) * LANES + s]);
            #pragma unroll
            for (int j = 0; j < NV; j++) sum[i][j] = fma(d, x[j], sum[i][j]);
        }
    }
    #pragma unroll
    for (int i = 0; i < MR; i++) {
        if (m0 + i < M) {
            #pragma unroll
            for (int j = 0; j < NV; j++) {
                const int k = k0 + j * PW;
                const int row = (m0 + i) * K;
                if (k + PW <= K) {
                    EPILOGUE_P(row + k, sum[i][j])
                } else if (k < K) {
                    float cell[PW];
                    STORE_PF(sum[i][j], cell);
                    for (int c = 0; k + c < K; c++) {
                        EPILOGUE_S(row + k + c, cell[c])
                    }
                }
            }
        }
    }
}
