def distance_in_python(first: str, second: str) -> int:
    """The same function in Python."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first):
        diagonal, row[0] = i, i + 1
        for j, b in enumerate(second):
            replaced = diagonal + (a != b)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
    return row[-1]
