"""Walking on a grid of cells, all at once: where moves lead, and which of them collide.

Cells are counted row by row from the upper left. Moves: 0 stay, 1 north, 2 south, 3 west, 4 east.
"""

from ..kernels._jit import kernel
from ..value_grad import Real


@kernel
def target(wall: Real, cell: int, action: int, rows: int, columns: int) -> int:
    """Where a move leads with nobody in the way."""
    row, column = cell // columns, cell % columns
    if action == 1:
        row -= 1
    elif action == 2:
        row += 1
    elif action == 3:
        column -= 1
    elif action == 4:
        column += 1
    there = row * columns + column
    if 0 <= row < rows and 0 <= column < columns and not wall[there]:
        return there
    return cell


@kernel
def settle(at: Real, to: Real, stops: Real) -> None:
    """Take back the moves (n,) that collide, until none does."""
    again = True
    while again:
        again = False
        for i in range(len(at)):
            stops[i] = False
            for j in range(len(at)):
                swap = to[i] == at[j] and to[j] == at[i]
                stops[i] = stops[i] or (j != i and to[i] != at[i] and (to[j] == to[i] or swap))
        for i in range(len(at)):
            if stops[i]:
                to[i], again = at[i], True
