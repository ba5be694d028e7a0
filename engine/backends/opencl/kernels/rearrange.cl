// Y[i][j][k][lane] = X[OFFSET + i * S0 + j * S1 + k * S2][lane] inside LOW <= (i, j, k) < HIGH, else 0.
//
// Pointers: X; the epilogue's own. Output is ... x D1 x D2 rows. One work-item computes VW lanes of CHUNK rows.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int last = min(ROWS, (id1 + 1) * CHUNK);
    for (int row = id1 * CHUNK; row < last; row++) {
        const int i = row / (D1 * D2), j = row / D2 % D1, k = row % D2;
        const bool inside = i >= LOW0 && i < HIGH0 && j >= LOW1 && j < HIGH1 && k >= LOW2 && k < HIGH2;
        vf v = (vf)(0.0f);
        if (inside) v = LOAD(X + (OFFSET + i * S0 + j * S1 + k * S2) * LANES + lane);
        EPILOGUE(row * LANES + lane, v)
    }
}
