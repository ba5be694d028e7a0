// A chain of cell by cell operations on batched values (rows x LANES) or on unbatched arrays.
//
// The chain loads its own inputs and stores its own results. Batched arrays are whole registers; an
// unbatched array may end in single cells, which CHAIN_S computes.
// One work-item walks over CHUNK registers.
//
// Tunables
//   STEP   elements of a register: VW for batched values, PW for unbatched ones.
//   TOTAL  elements.   CHUNK  registers per work-item: enough to be worth a launch.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int from = id0 * (CHUNK * STEP);
    const int to = min(TOTAL, from + CHUNK * STEP);
    int i = from;
    for (; i + STEP <= to; i += STEP) {
        CHAIN(i)
    }
#if TOTAL % STEP != 0
    for (; i < to; i++) {
        CHAIN_S(i)
    }
#endif
}
