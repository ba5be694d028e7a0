// A chain of elementwise operations on batched values (rows x LANES) or on unbatched arrays.
//
// The chain is the epilogue; it loads its own inputs. Arrays are padded to whole registers.
// One work-item walks over CHUNK registers.
//
// Tunables
//   STEP   elements of a register: VW for batched values, PW for unbatched ones.
//   TOTAL  elements, a multiple of STEP.   CHUNK  registers per work-item.

__kernel void NAME(ARGUMENTS) {
    POINTERS
    const int from = get_global_id(0) * (CHUNK * STEP);
    const int to = min(TOTAL, from + CHUNK * STEP);
    for (int at = from; at < to; at += STEP) {
        CHAIN(at)
    }
}
