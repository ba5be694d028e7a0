// A sequence WHOLE (rows x length x LANES) and some of its positions P0, P1, ... (rows x LANES each): one into
// the other.
//
// COPY(row, lane) holds the statements. One work-item copies one row of VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    COPY(id1, id0 * VW)
}
